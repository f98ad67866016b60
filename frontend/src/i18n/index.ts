import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";
import { usePreferences } from "@/lib/preferences";

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, "zh-CN": { translation: zh } },
  lng: usePreferences.getState().locale,
  fallbackLng: "en",
  interpolation: { escapeValue: false },
});

usePreferences.subscribe(({ locale }) => {
  document.documentElement.lang = locale;
  if (i18next.language !== locale) void i18next.changeLanguage(locale);
});
document.documentElement.lang = usePreferences.getState().locale;

export { i18next };
