/** A name of the register, such as a pool's: on a narrow line it breaks between its words. */
import { Fragment } from "react";
import { wordsOf } from "./words";

export function Name({ children }: { readonly children: string }) {
  return (
    <span className="name">
      {wordsOf(children).map((word, place) => (
        <Fragment key={place}>
          {place === 0 ? null : <wbr />}
          {word}
        </Fragment>
      ))}
    </span>
  );
}
