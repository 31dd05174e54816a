/** A plan as a file to keep beside the settings: no data of the municipality's desktops, and no secrets. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

export function ExportLink({ name, text }: { readonly name: string; readonly text: string }) {
  const { t } = useTranslation("plans");
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [text]);
  return url === null ? null : (
    <a className="button button-secondary" href={url} download={`bcp-plan-${name}.yaml`} data-testid="plan-export">
      {t("act.export")}
    </a>
  );
}
