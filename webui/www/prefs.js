// SPDX-License-Identifier: Apache-2.0
// Light or dark, and which page is shown.
import { useEffect, useState } from "./vendor.js";

const root = document.documentElement;

/** auto, light or dark. */
export const theme = () => localStorage.getItem("theme") ?? "auto";

/** @param {string} to */
export function setTheme(to) {
	localStorage.setItem("theme", to);
	if (to === "auto") delete root.dataset.theme;
	else root.dataset.theme = to;
}

setTheme(theme());

/** The page that the address names: #/peers/branches/osaka. */
function path() {
	return location.hash.replace(/^#\/?/, "").split("?")[0].split("/").filter(Boolean)
		.map((part) => {
			try {
				return decodeURIComponent(part);
			} catch {
				return part;
			}
		});
}

/** The parts of the path, for a component that follows it. */
export function usePath() {
	const [parts, set] = useState(path);
	useEffect(() => {
		const fn = () => set(path());
		addEventListener("hashchange", fn);
		return () => removeEventListener("hashchange", fn);
	}, []);
	return parts;
}

/** An address. @param {...string} parts */
export const to = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");

/** Go there. @param {...string} parts */
export function go(...parts) {
	location.hash = to(...parts);
}
