// SPDX-License-Identifier: Apache-2.0
// The one place where modules of others come in.
import { h, render } from "./lib/preact.js";
import htm from "./lib/htm.js";

export { render };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "./lib/hooks.js";

/** Templates that become elements; text in them stays text. */
export const html = htm.bind(h);
