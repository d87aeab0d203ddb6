// SPDX-License-Identifier: Apache-2.0
// A changed configuration: edited, looked at, put in force with a way back.
import { html, useState } from "../vendor.js";
import { bus, changed, may, useClock, useStore } from "../store.js";
import { t, word } from "../i18n.js";
import { Do, Failed, Panel, State, Table } from "../parts.js";
import { Editor } from "./editor.js";

/** @typedef {import("../store.js").Item} Item */

const CONFIRM_S = 60;	// time to see whether one has locked oneself out

/** When the former configuration comes back, whichever page is shown. */
const trial = { until: 0, seq: 0 };

/** @param {{items: Item[]}} props */
function Changes({ items }) {
	const rows = items.filter((i) => i.result === "change");
	const sum = items.find((i) => i.result === "changes");
	const wrong = items.filter((i) => i.result === "mistake");
	if (wrong.length) return html`<ul class="list">${wrong.map((m, i) => html`<li key=${i}>
		<${State} is="error" group="level"/> <code>${m.text}</code></li>`)}</ul>`;
	return html`<p role="status">${sum?.n_interrupted > 0 ? html`<strong>▲ ${t("conf.interrupts", { n: sum.n_interrupted })}</strong>` :
		rows.length ? t("conf.harmless") : t("conf.same")}</p>
		${rows.length > 0 && html`<${Table} name=${t("conf.changes")} rows=${rows.map((r, i) => ({ ...r, i }))}
			id=${(/** @type {Item} */ r) => r.i} columns=${[
			{ key: "text", name: t("conf.change"), show: (/** @type {Item} */ r) => r.text ||
				[r.what, r.realm, r.peer, r.name].filter(Boolean).join(" ") },
			{ key: "before", name: t("conf.before"), show: (/** @type {Item} */ r) => html`<code>${r.before}</code>` },
			{ key: "after", name: t("conf.after"), show: (/** @type {Item} */ r) => html`<code>${r.after}</code>` },
			{ key: "kind", name: t("conf.effect"), show: (/** @type {Item} */ r) => word("effect", r.kind) },
		]}/>`}`;
}

/** What is in the file, against what is in force; with a way back. @param {{realm?: string}} props */
export function Configuration({ realm }) {
	const s = useStore();
	const now = useClock();
	const [seen, see] = useState(/** @type {Item[]|null} */ (null));
	const [error, fail] = useState(null);
	const [isOpen, open] = useState(false);
	const isBack = s.events.some((e) => e.event === "config-back" && e.seq > trial.seq);
	const left = isBack ? 0 : Math.ceil((trial.until - now) / 1000);
	const look = async (/** @type {object} */ fields, /** @type {number} */ seconds) => {
		const seq = s.events.at(-1)?.seq ?? 0;
		fail(null);
		try {
			see(await bus.ask("reload", fields));
			trial.until = 0;
			if (seconds) Object.assign(trial, { until: Date.now() + seconds * 1000, seq });
			changed();
		} catch (e) {
			fail(e);
			see(e.items?.length ? e.items : null);
		}
	};
	const apply = () => look({ confirm_s: CONFIRM_S }, CONFIRM_S);
	const end = () => {
		trial.until = 0;
		fail(null);
		see(null);
		changed();
	};
	// put in force elsewhere, or before this page was loaded
	const isWaiting = left > 0 || error?.code === "ERR_STATE";
	const isAllowed = may("admin");
	return html`<${Panel} title=${t("conf.title")} cmd=${left > 0 ? "tapir confirm" : `tapir reload --confirm ${CONFIRM_S}`}>
		<p>${t("conf.text", { s: CONFIRM_S })}</p>
		${!isAllowed && html`<p class="quiet">${t("needs.role", { role: t("role.admin") })}</p>`}
		${isOpen && html`<${Editor} realm=${realm} isWaiting=${isWaiting} onItems=${see} onWritten=${apply} onClose=${() => open(false)}/>`}
		<div class="row actions">
			${!isOpen && html`<button type="button" disabled=${!isAllowed} onClick=${() => open(true)}>${t("edit.open")}</button>
			<button type="button" disabled=${!isAllowed} onClick=${() => look({ dry_run: true }, 0)}>${t("conf.preview")}</button>
			<button type="button" class=${isWaiting ? "" : "main"} disabled=${!isAllowed || left > 0} onClick=${apply}>${t("conf.apply")}</button>`}
			${isWaiting && html`<${Do} name=${left > 0 ? t("conf.keep", { s: left }) : t("conf.keep.now")} command="confirm"
				fields=${{}} role="admin" isMain onDone=${end}/>`}</div>
		<${Failed} error=${error}/>
		${trial.until > 0 && left <= 0 && html`<p class="note" role="status">${t("conf.undone")}</p>`}
		${seen && html`<${Changes} items=${seen}/>`}<//>`;
}
