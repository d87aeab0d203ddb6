// SPDX-License-Identifier: Apache-2.0
// Captures: which command makes the one that is wanted.  They are made on the
// gateway: packets do not go over the bus.
import { html, useState } from "../vendor.js";
import { keyOf, useStore } from "../store.js";
import { t } from "../i18n.js";
import { Field, Panel, Cmd } from "../parts.js";

const kinds = ["clear", "esp", "ike", "dropped"];

/** A word for a shell. @param {string} w */
const quoted = (w) => /^[\w@%+=:,./-]+$/.test(w) ? w : "'" + w.replace(/'/g, "'\\''") + "'";

/** @param {{realm?: string, peer?: string}} props */
export function Capture({ realm, peer: first }) {
	const s = useStore();
	const [peer, setPeer] = useState(realm && first ? realm + "/" + first : "");
	const [on, setOn] = useState(/** @type {string[]} */ ([]));
	const [seconds, setSeconds] = useState("60");
	const [file, setFile] = useState("tapir.pcapng");
	const n = Math.max(0, Math.floor(Number(seconds) || 0));
	const text = ["tapir capture", file && "-w " + quoted(file), peer && "--peer " + quoted(peer),
		...on.map((k) => "--" + k), n > 0 && "--seconds " + n].filter(Boolean).join(" ");
	const peers = [...s.peers.values()].map(keyOf).sort();
	return html`<h1>${t("nav.capture")}</h1>
		<${Panel} title=${t("capture.title")}>
			<p>${t("capture.text")}</p>
			<div class="row">
				<${Field} name=${t("col.peer")} value=${peer} set=${setPeer}
					options=${{ "": t("any"), ...Object.fromEntries(peers.map((p) => [p, p])) }}/>
				<${Field} name=${t("capture.seconds")} value=${seconds} set=${setSeconds} type="number" hint=${t("capture.seconds.hint")}/>
				<${Field} name=${t("capture.file")} value=${file} set=${setFile}/>
			</div>
			<fieldset><legend>${t("capture.kinds")}</legend>${kinds.map((k) => html`
				<label class="check" key=${k}><input type="checkbox" checked=${on.includes(k)} onChange=${() =>
					setOn(on.includes(k) ? on.filter((x) => x !== k) : kinds.filter((x) => x === k || on.includes(x)))}/>
					${" "}${t(/** @type {any} */ ("capture." + k))}</label>`)}</fieldset>
			<${Cmd} text=${text}/>
			<p class="quiet">${t("capture.open")}</p>
		<//>`;
}
