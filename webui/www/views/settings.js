// SPDX-License-Identifier: Apache-2.0
// Settings of this browser; who is logged in; what this is.
import { html, useState } from "../vendor.js";
import { logout } from "../api.js";
import { useStore } from "../store.js";
import { language, languages, setLanguage, span, t, word } from "../i18n.js";
import { Facts, Field, For, Panel, Title } from "../parts.js";
import { setTheme, theme } from "../prefs.js";
import { Keys } from "./help.js";

export function Settings() {
	const s = useStore();
	const [look, setLook] = useState(theme());
	const leave = async () => {
		await logout();
		location.reload();
	};
	return html`<${Title} of="settings"/>
		<${Panel} title=${t("set.look")}><div class="row">
			<${Field} name=${t("set.language")} value=${language()} set=${setLanguage} options=${languages}/>
			<${Field} name=${t("set.theme")} value=${look} set=${(/** @type {string} */ v) => { setTheme(v); setLook(v); }}
				options=${{ auto: t("set.auto"), light: t("set.light"), dark: t("set.dark") }}/></div>
			<p class="quiet">${t("set.here")}</p><//>
		<${Panel} title=${t("set.login")}><${Facts} rows=${[[t("user.you"), s.who?.user],
			[t("user.role"), s.who && word("role", s.who.role)], [t("set.idle"), s.who && span(s.who.idle_s)]]}/>
			<button type="button" onClick=${leave}>${t("logout")}</button><//>
		<${Panel} title=${t("set.keys")}><${Keys}/><//>
		<${Panel} title=${t("set.about")} cmd="tapir version"><${Facts} rows=${[
			["tapird", s.daemon && s.daemon.version],
			[t("health.runs"), s.daemon && html`<${For} s=${s.daemon.up_s} at=${s.daemonAt}/>`],
			[t("set.pid"), s.daemon && String(s.daemon.pid)]]}/>
			<p><a href="lib/licences.txt">${t("set.licences")}</a></p><//>`;
}
