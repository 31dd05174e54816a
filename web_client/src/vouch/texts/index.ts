/** Adds the page's texts when its chunk is loaded. */
import i18next from "i18next";
import { en } from "./en";
import { ja } from "./ja";

i18next.addResourceBundle("ja", "vouch", ja);
i18next.addResourceBundle("en", "vouch", en);
