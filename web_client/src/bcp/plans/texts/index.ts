/** Adds the texts of plans when the console's chunk is loaded. */
import i18next from "i18next";
import { en } from "./en";
import { ja } from "./ja";

i18next.addResourceBundle("ja", "plans", ja);
i18next.addResourceBundle("en", "plans", en);
