/**
 * A fresh one-time code before an act that asks for one. The code is asked for each time; only a second try on the same
 * page right after a refusal goes without, because an authenticator shows each code once.
 */
import { useState } from "react";
import { account } from "../api/endpoints";
import { ApiError, setCsrfToken } from "../api/http";
import type { LoginError } from "../api/types";
import { tidyTotp } from "../login/codes";

/** Well below the gateway's five minutes, so that a confirmed person is never sent back for another code in vain. */
const CONFIRMED_MS = 4 * 60_000;

export interface FreshCode {
  readonly typed: string;
  readonly setTyped: (typed: string) => void;
  /** The person tried to go on, and what is typed cannot be a code. */
  readonly missing: boolean;
  /** A code was accepted a moment ago: none is asked for. */
  readonly confirmed: boolean;
  /** Why the code was not accepted. */
  readonly refused: LoginError | null;
  /** Whether it makes sense to send now; shows what is missing. */
  readonly check: () => boolean;
  /** Proves the code unless one was proven just now; false when it was refused. */
  readonly prove: () => Promise<boolean>;
  /** The gateway wants another code. */
  readonly forget: () => void;
}

export function useFreshCode(): FreshCode {
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const [confirmedAt, setConfirmedAt] = useState<number | null>(null);
  const [refused, setRefused] = useState<LoginError | null>(null);
  const confirmed = confirmedAt !== null && performance.now() - confirmedAt < CONFIRMED_MS;
  const code = tidyTotp(typed);

  const prove = async (): Promise<boolean> => {
    setRefused(null);
    if (confirmed) {
      return true;
    }
    if (code === null) {
      return false;
    }
    const answer = await account.stepUp(code);
    setCsrfToken(answer.csrf_token);
    setTyped("");
    setChecked(false);
    if (answer.error !== null) {
      setRefused(answer.error);
      return false;
    }
    setConfirmedAt(performance.now());
    return true;
  };

  return {
    typed,
    setTyped,
    missing: checked && code === null && refused === null,
    confirmed,
    refused,
    check: () => {
      setChecked(true);
      return confirmed || code !== null;
    },
    prove,
    forget: () => setConfirmedAt(null),
  };
}

/** Whether the refusal of an act means that its code is too old by now. */
export function wantsFreshCode(error: unknown): boolean {
  return error instanceof ApiError && error.problem.refusal === "totp_not_fresh";
}
