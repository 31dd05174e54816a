/** Adds the console's texts when its chunk is loaded; everybody else is spared the download. */
import i18next from "i18next";
import { en } from "./en";
import { ja } from "./ja";

i18next.addResourceBundle("ja", "bcp", ja);
i18next.addResourceBundle("en", "bcp", en);
