// SPDX-License-Identifier: Apache-2.0
// Some deeds want a login that is fresh: whoever asks for them proves again who he is.
import { html, useState } from "../vendor.js";
import { prove } from "../api.js";
import { changed, store, useStore } from "../store.js";
import { t } from "../i18n.js";
import { Cmd, Dialog, Failed, Field } from "../parts.js";

/** Who waits for the dialog. @type {{done: () => void, fail: (why: Error) => void}|null} */
let waiting = null;

/** Do something, and again after the proof that it wants. @template T @param {() => Promise<T>} deed @returns {Promise<T>} */
export async function proved(deed) {
	try {
		return await deed();
	} catch (e) {
		if (e.code !== "ERR_PROOF") throw e;
		await new Promise((done, fail) => {
			waiting?.fail(e);
			waiting = { done: () => done(null), fail: () => fail(e) };
			changed();
		});
		return deed();
	}
}

/** @param {"done"|"fail"} how */
function end(how) {
	const w = waiting;
	waiting = null;
	changed();
	w?.[how](/** @type {any} */ (null));
}

/** The secret of a link, or of what was copied of it. @param {string} text */
const secret = (text) => /link=([^&\s]+)/.exec(text)?.[1] ?? text.trim();

/** The dialog, when somebody waits for it. */
export function Proof() {
	useStore();
	return waiting && html`<${Ask}/>`;
}

function Ask() {
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [link, setLink] = useState("");
	const [state, set] = useState({ isBusy: false, error: null });
	const send = async (/** @type {Event} */ e) => {
		e.preventDefault();
		set({ isBusy: true, error: null });
		try {
			store.who = await prove(link ? { link: secret(link) } : code ? { password, code } : { password });
			end("done");
		} catch (error) {
			set({ isBusy: false, error });
		}
		setPassword("");
		setCode("");
		setLink("");
	};
	return html`<${Dialog} title=${t("proof.title")} onClose=${() => end("fail")}>
		<p>${t("proof.text")}</p><form onSubmit=${send} class="proof">
			<${Field} name=${t("login.password")} value=${password} set=${setPassword} type="password" auto="current-password"/>
			<${Field} name=${t("login.code")} value=${code} set=${setCode} auto="one-time-code" hint=${t("login.code.hint")}/>
			<${Field} name=${t("proof.link")} value=${link} set=${setLink} type="password"/>
			<${Cmd} text="tapir web"/>
			<${Failed} error=${state.error}/>
			<div class="row"><button class="main" disabled=${state.isBusy || !(password || link)}>${t("proof.go")}</button>
				<button type="button" onClick=${() => end("fail")}>${t("cancel")}</button></div></form><//>`;
}
