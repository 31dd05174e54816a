/** Buttons, fields, notices: thin styled covers of React Aria, which brings keyboard, touch and screen-reader behaviour. */
import { useState, type ReactNode } from "react";
import {
  Button as AriaButton,
  FieldError,
  Input,
  Label,
  Text,
  TextField as AriaTextField,
  type ButtonProps as AriaButtonProps,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon, type IconName } from "./Icon";

export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

export interface ButtonProps extends Omit<AriaButtonProps, "className" | "style" | "children"> {
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  readonly wide?: boolean;
  /** Something is on its way: keeps its place in the tab order, but does nothing. */
  readonly busy?: boolean;
  readonly children: ReactNode;
  readonly "data-testid"?: string;
}

// React Aria's own `isPending` is not used: its announcer writes to innerHTML, which Trusted Types forbid, and leaves
// nameless images behind that axe rightly reports.
export function Button({ kind = "secondary", icon, wide = false, busy = false, children, ...rest }: ButtonProps) {
  const quiet: Partial<AriaButtonProps> = busy ? { type: "button", onPress: () => undefined } : {};
  return (
    <AriaButton
      {...rest}
      {...quiet}
      {...(busy ? { "data-pending": true, "aria-disabled": true } : {})}
      className={`button button-${kind}${wide ? " button-wide" : ""}`}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      <span>{children}</span>
    </AriaButton>
  );
}

export interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly help?: string;
  readonly error?: string | null;
  readonly type?: "text" | "password";
  readonly autoComplete?: string;
  readonly inputMode?: "text" | "numeric";
  readonly maxLength?: number;
  readonly autoFocus?: boolean;
  readonly testId?: string;
  readonly className?: string;
  readonly after?: ReactNode;
}

export function TextField(props: FieldProps) {
  const { error, help } = props;
  return (
    <AriaTextField
      className={`field ${props.className ?? ""}`}
      name={props.name}
      value={props.value}
      onChange={props.onChange}
      isInvalid={error !== undefined && error !== null}
      validationBehavior="aria"
      type={props.type ?? "text"}
      {...(props.autoComplete === undefined ? {} : { autoComplete: props.autoComplete })}
      {...(props.inputMode === undefined ? {} : { inputMode: props.inputMode })}
      {...(props.maxLength === undefined ? {} : { maxLength: props.maxLength })}
      // Each log-in step has one thing to do: the field comes with its label and help text announced.
      autoFocus={props.autoFocus ?? false}
    >
      <Label className="field-label">{props.label}</Label>
      {help === undefined ? null : (
        <Text slot="description" className="field-help">
          {help}
        </Text>
      )}
      <div className="field-row">
        <Input className="field-input" data-testid={props.testId} autoCapitalize="none" spellCheck={false} />
        {props.after}
      </div>
      <FieldError className="field-error">{error}</FieldError>
    </AriaTextField>
  );
}

/** Password with a button that shows it: long passwords on a tablet are hard to type blind (WCAG 3.3.8). */
export function PasswordField(props: Omit<FieldProps, "type" | "after">) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  return (
    <TextField
      {...props}
      type={shown ? "text" : "password"}
      after={
        <AriaButton
          className="button button-quiet field-toggle"
          aria-label={t(shown ? "login.hidePassword" : "login.showPassword")}
          onPress={() => setShown(!shown)}
        >
          <Icon name={shown ? "eyeOff" : "eye"} />
          <span>{t(shown ? "login.hide" : "login.show")}</span>
        </AriaButton>
      }
    />
  );
}

export type NoticeKind = "info" | "success" | "warning" | "error";

interface NoticeProps {
  readonly kind: NoticeKind;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  readonly testId?: string;
  /** Errors interrupt the screen reader, everything else waits for a pause. */
  readonly live?: boolean;
}

const NOTICE_ICON: Record<NoticeKind, IconName> = { info: "info", success: "check", warning: "warning", error: "error" };

export function Notice({ kind, title, children, actions, testId, live = true }: NoticeProps) {
  const role = !live ? undefined : kind === "error" ? "alert" : "status";
  return (
    <div className={`notice notice-${kind}`} role={role} data-testid={testId}>
      <Icon name={NOTICE_ICON[kind]} />
      <div className="notice-body">
        {title === undefined ? null : <p className="notice-title">{title}</p>}
        {children === undefined ? null : <div>{children}</div>}
        {actions === undefined ? null : <div className="notice-actions">{actions}</div>}
      </div>
    </div>
  );
}
