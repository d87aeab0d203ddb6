// SPDX-License-Identifier: Apache-2.0
// A file of the configuration: its text, what is wrong in it, what would change.
import { html, useEffect, useRef, useState } from "../vendor.js";
import { confFiles, confRead, confTry, confWrite } from "../api.js";
import { changed, useStore } from "../store.js";
import { t } from "../i18n.js";
import { Failed, Field, State } from "../parts.js";
import { proved } from "./proof.js";

/** @typedef {import("../store.js").Item} Item */

const PAUSE_MS = 600;	// after the last key, before it is looked at
const LINES = 28;

/** What is edited: it outlives the page that shows it. */
const draft = {
	/** @type {Item[]} */ files: [],
	file: "", base: "", text: "", etag: "",
	former: "",		// what stood there before it was written here
	seq: 0,			// the last event before that
};
const isChanged = () => draft.text !== draft.base;

addEventListener("beforeunload", (e) => { if (isChanged()) e.preventDefault(); });

/** @param {string} [file] */
async function load(file) {
	draft.files = await confFiles();
	draft.file = file ?? draft.files.find((f) => f.main)?.file ?? draft.files[0]?.file ?? "";
	const { text, etag } = await confRead(draft.file);
	Object.assign(draft, { base: text, text, etag });
	changed();
}

/** The file is again as it was before it was written here: what was written is a draft again. */
async function afterUndo() {
	const { text, etag } = await confRead(draft.file);
	if (text === draft.former) Object.assign(draft, { base: text, etag });
	draft.former = "";
	changed();
}

/** The line, from 1, where a realm begins; 0 = not there. @param {string} text @param {string} realm */
function lineOf(text, realm) {
	const at = text.split("\n").findIndex((l) => /<realm\b/.test(l) && (l.includes(`"${realm}"`) || l.includes(`'${realm}'`)));
	return at + 1;
}

/** Lead to a line of the text. @param {HTMLTextAreaElement} box @param {number} line */
function show(box, line) {
	const lines = box.value.split("\n"), from = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
	box.focus();
	box.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
	box.scrollTop = Math.max(0, (line - 4) * box.scrollHeight / lines.length);
}

/** Looked at by the daemon while it is typed. @param {string} text @param {boolean} isOn */
function useMistakes(text, isOn) {
	const [seen, see] = useState({ mistakes: /** @type {Item[]} */ ([]), items: /** @type {Item[]|null} */ (null), error: null });
	useEffect(() => {
		const cut = new AbortController();
		const timer = isOn ? setTimeout(() => confTry(draft.file, text, cut.signal).then(
			(got) => see({ mistakes: [], items: got.items, error: null }),
			(e) => cut.signal.aborted || see({ mistakes: e.items?.filter((/** @type {Item} */ i) => i.result === "mistake") ?? [],
				items: null, error: e.status === 422 ? null : e })), PAUSE_MS) : 0;
		if (!isOn) see({ mistakes: [], items: null, error: null });
		return () => {
			clearTimeout(timer);
			cut.abort();
		};
	}, [text, isOn]);
	return seen;
}

/** @param {{onLine: (n: number) => void, mistakes: Item[]}} props */
const Mistakes = ({ mistakes, onLine }) => mistakes.length > 0 && html`<ul class="list" role="alert" aria-label=${t("edit.mistakes")}>
	${mistakes.map((m, i) => html`<li key=${i} class="line two"><${State} is="error" group="level"/>
		<span>${m.line > 0 ? html`<button type="button" class="plain" onClick=${() => onLine(m.line)}>${t("edit.line", { n: m.line })}</button> ` : ""}
			${m.why || m.text} ${m.hint && html`<span class="quiet">${m.hint}</span>`}</span></li>`)}</ul>`;

/** @param {{mistakes: Item[], box: {current: HTMLTextAreaElement|null}}} props */
function Text({ mistakes, box }) {
	const gutter = useRef(/** @type {HTMLElement} */ (null));
	const bad = new Set(mistakes.map((m) => m.line));
	const n = draft.text.split("\n").length;
	return html`<div class="editor">
		<pre aria-hidden="true" ref=${gutter}>${Array.from({ length: n }, (_, i) => html`<span key=${i}
			class=${bad.has(i + 1) ? "is-error" : ""}>${bad.has(i + 1) ? "✕" : ""}${i + 1}${"\n"}</span>`)}</pre>
		<textarea ref=${box} aria-label=${t("edit.text", { file: draft.file })} aria-invalid=${mistakes.length ? "true" : "false"}
			rows=${Math.min(LINES, n + 1)} spellcheck=${false} autocomplete="off" autocapitalize="off" wrap="off" value=${draft.text}
			onScroll=${(/** @type {any} */ e) => { gutter.current.scrollTop = e.currentTarget.scrollTop; }}
			onInput=${(/** @type {any} */ e) => { draft.text = e.currentTarget.value; changed(); }}/></div>`;
}

/**
 * @param {{realm?: string, isWaiting: boolean, onItems: (items: Item[]|null) => void,
 *	onWritten: () => void, onClose: () => void}} props
 */
export function Editor({ realm, isWaiting, onItems, onWritten, onClose }) {
	const s = useStore();
	const box = useRef(/** @type {HTMLTextAreaElement} */ (null));
	const [state, set] = useState({ isBusy: false, error: null });
	const seen = useMistakes(draft.text, isChanged());
	const isUndone = draft.former && s.events.some((e) => e.event === "config-back" && e.seq > draft.seq);
	const run = async (/** @type {() => Promise<any>} */ deed) => {
		set({ isBusy: true, error: null });
		try {
			await deed();
			set({ isBusy: false, error: null });
		} catch (error) {
			set({ isBusy: false, error });
		}
	};
	useEffect(() => {
		if (isChanged() || isUndone) return;
		run(async () => {
			await load(draft.file || undefined);
			const line = realm ? lineOf(draft.text, realm) : 0;
			if (line) setTimeout(() => box.current && show(box.current, line), 100);
		});
	}, []);
	useEffect(() => { if (isUndone) run(afterUndo); }, [isUndone]);
	useEffect(() => { onItems(seen.items); }, [seen.items]);
	const write = () => run(async () => {
		const got = await proved(() => confWrite(draft.file, draft.text, draft.etag));
		Object.assign(draft, { former: draft.base, base: draft.text, etag: `"${got.digest}"`,
			seq: s.events.at(-1)?.seq ?? 0 });
		onItems(null);
		onWritten();
	});
	const isStale = state.error?.code === "ERR_STALE";
	return html`${draft.files.length > 1 && html`<${Field} name=${t("capture.file")} value=${draft.file}
			set=${(/** @type {string} */ f) => run(() => load(f))} options=${Object.fromEntries(draft.files.map((f) => [f.file, f.file]))}
			isOff=${isChanged()}/>`}
		<${Text} mistakes=${seen.mistakes} box=${box}/>
		<${Mistakes} mistakes=${seen.mistakes} onLine=${(/** @type {number} */ n) => show(box.current, n)}/>
		<${Failed} error=${state.error ?? seen.error}/>
		<div class="row actions">
			<button type="button" class="main" disabled=${state.isBusy || isWaiting || !isChanged() || seen.mistakes.length > 0}
				onClick=${write}>${t("edit.write")}</button>
			<button type="button" disabled=${state.isBusy || (!isChanged() && !isStale)} onClick=${() => run(() => load(draft.file))}
				>${isStale ? t("edit.again") : t("edit.discard")}</button>
			<button type="button" disabled=${isChanged()} onClick=${onClose}>${t("close")}</button>
			<span role="status" class="quiet">${state.isBusy ? t("busy") : isChanged() ? t("edit.changed") : ""}</span></div>`;
}
