/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/profile.c - profiles for devices.
 *
 * Algorithms: what the device can and we accept.  One for each slot where a device
 * offers exactly what its profile says (Apple, Windows): AES-256-GCM, SHA2-384 as
 * PRF, ECP-384; with suite="compat" AES-256-CBC, SHA2-256, MODP-2048.
 */
#include "cli/invite/profile.h"
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cli/invite/b64.h"
#include "cli/json.h"
#include "daemon/base/addr.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define ID_PREFIX "org.tapir-vpn"	/* of payloads of ours */

static int
fail(char *why, size_t cap, int err, const char *what)
{
	snprintf(why, cap, "%s", what);
	return err;
}

const char *
profile_ending(enum profile_kind k)
{
	static const char *const ends[PROFILE_KINDS] = {
		[PROFILE_APPLE] = ".mobileconfig", [PROFILE_WINDOWS] = ".ps1",
		[PROFILE_ANDROID] = ".sswan",
	};

	return ends[k];
}

const char *
profile_type(enum profile_kind k)
{
	static const char *const types[PROFILE_KINDS] = {
		[PROFILE_APPLE] = "application/x-apple-aspen-config",
		[PROFILE_WINDOWS] = "application/octet-stream",
		[PROFILE_ANDROID] = "application/vnd.strongswan.profile",
	};

	return types[k];
}

const char *
profile_word(enum profile_kind k)
{
	static const char *const words[PROFILE_KINDS] = {
		[PROFILE_APPLE] = "apple", [PROFILE_WINDOWS] = "windows",
		[PROFILE_ANDROID] = "android",
	};

	return words[k];
}

int
profile_uuid(const struct profile *p, const char *part, char out[PROFILE_UUID])
{
	uint8_t h[EVP_MAX_MD_SIZE];
	char text[4 * PROFILE_TEXT], hex[33];
	int n;

	n = snprintf(text, sizeof(text), "tapir profile\n%s\n%s\n%s", p->gateway,
		     p->user, part);
	if (n < 0 || (size_t)n >= sizeof(text))
		return ERR_LONG;
	if (EVP_Digest(text, (size_t)n, h, NULL, EVP_sha256(), NULL) != 1)
		return ERR_CRYPTO;
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);	/* version 8 */
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	str_hex(hex, sizeof(hex), h, 16);
	snprintf(out, PROFILE_UUID, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		 hex + 12, hex + 16, hex + 20);
	return 0;
}

/* ---- Apple: property list ------------------------------------------------------- */

static void
plist_text(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			fputs("&amp;", f);
		else if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '>')
			fputs("&gt;", f);
		else
			fputc(*text, f);
	}
}

static void
plist_str(FILE *f, const char *key, const char *value)
{
	fprintf(f, "<key>%s</key><string>", key);
	plist_text(f, value);
	fputs("</string>\n", f);
}

static void
plist_int(FILE *f, const char *key, unsigned value)
{
	fprintf(f, "<key>%s</key><integer>%u</integer>\n", key, value);
}

static void
plist_data(FILE *f, const char *key, struct view v)
{
	fprintf(f, "<key>%s</key><data>\n", key);
	b64_write(f, v, 68, "");
	fputs("</data>\n", f);
}

/* What every payload has. */
static int
payload(FILE *f, const struct profile *p, const char *type, const char *part,
	const char *title)
{
	char uuid[PROFILE_UUID], whole[PROFILE_UUID], id[128];
	int err;

	if ((err = profile_uuid(p, part, uuid)) != 0 ||
	    (err = profile_uuid(p, "profile", whole)) != 0)
		return err;
	snprintf(id, sizeof(id), ID_PREFIX ".%s.%s", whole, part);
	plist_str(f, "PayloadType", type);
	plist_int(f, "PayloadVersion", 1);
	plist_str(f, "PayloadIdentifier", id);
	plist_str(f, "PayloadUUID", uuid);
	plist_str(f, "PayloadDisplayName", title);
	return 0;
}

static void
apple_sa(FILE *f, const char *key, const struct profile *p, unsigned minutes)
{
	fprintf(f, "<key>%s</key><dict>\n", key);
	plist_str(f, "EncryptionAlgorithm", p->is_compat ? "AES-256" :
		  "AES-256-GCM");
	plist_str(f, "IntegrityAlgorithm", p->is_compat ? "SHA2-256" :
		  "SHA2-384");
	plist_int(f, "DiffieHellmanGroup", p->is_compat ? 14 : 20);
	plist_int(f, "LifeTimeInMinutes", minutes);
	fputs("</dict>\n", f);
}

static int
apple_ikev2(FILE *f, const struct profile *p)
{
	char uuid[PROFILE_UUID];
	int err;

	fputs("<key>IKEv2</key><dict>\n", f);
	plist_str(f, "RemoteAddress", p->at);
	plist_str(f, "RemoteIdentifier", p->gateway);
	plist_str(f, "LocalIdentifier", p->user);
	/* The gateway by certificate; who connects by EAP, or by the one named. */
	plist_str(f, "AuthenticationMethod", p->auth == PROFILE_TLS ? "None" :
		  "Certificate");
	plist_int(f, "ExtendedAuthEnabled", p->auth == PROFILE_CERT ? 0 : 1);
	if (p->auth == PROFILE_MSCHAPV2) {
		plist_str(f, "AuthName", p->user);
	} else {
		if ((err = profile_uuid(p, "identity", uuid)) != 0)
			return err;
		plist_str(f, "PayloadCertificateUUID", uuid);
		plist_str(f, "CertificateType", p->cert_type);
	}
	if (p->auth == PROFILE_TLS) {	/* it has 1.0 to 1.2 */
		plist_str(f, "TLSMinimumVersion", "1.2");
		plist_str(f, "TLSMaximumVersion", "1.2");
	}
	/* Without it no CERTREQ is sent. */
	if (p->ca_name != NULL)
		plist_str(f, "ServerCertificateIssuerCommonName", p->ca_name);
	plist_str(f, "DeadPeerDetectionRate", "Medium");
	plist_int(f, "EnablePFS", 1);
	plist_int(f, "DisableMOBIKE", 0);
	plist_int(f, "DisableRedirect", 0);
	plist_int(f, "UseConfigurationAttributeInternalIPSubnet",
		  p->n_net > 0 ? 1 : 0);
	apple_sa(f, "IKESecurityAssociationParameters", p, 1440);
	apple_sa(f, "ChildSecurityAssociationParameters", p, 480);
	fputs("</dict>\n", f);
	return 0;
}

static int
apple_write(FILE *f, const struct profile *p)
{
	int err;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	      "<plist version=\"1.0\"><dict>\n", f);
	if ((err = payload(f, p, "Configuration", "profile", p->title)) != 0)
		return err;
	fputs("<key>PayloadContent</key><array>\n<dict>\n", f);
	if ((err = payload(f, p, "com.apple.vpn.managed", "vpn", p->title)) != 0)
		return err;
	plist_str(f, "UserDefinedName", p->title);
	plist_str(f, "VPNType", "IKEv2");
	if ((err = apple_ikev2(f, p)) != 0)
		return err;
	fprintf(f, "<key>IPv4</key><dict>\n");
	plist_int(f, "OverridePrimary", p->n_net > 0 ? 0 : 1);
	fputs("</dict>\n</dict>\n", f);
	if (p->ca.len > 0) {
		fputs("<dict>\n", f);
		if ((err = payload(f, p, "com.apple.security.root", "authority",
				   p->ca_name != NULL ? p->ca_name :
				   p->title)) != 0)
			return err;
		plist_data(f, "PayloadContent", p->ca);
		fputs("</dict>\n", f);
	}
	if (p->auth != PROFILE_MSCHAPV2) {
		fputs("<dict>\n", f);
		if ((err = payload(f, p, "com.apple.security.pkcs12", "identity",
				   p->user)) != 0)
			return err;
		plist_data(f, "PayloadContent", p->p12);
		fputs("</dict>\n", f);
	}
	fputs("</array>\n</dict></plist>\n", f);
	return 0;
}

/* ---- Windows: PowerShell --------------------------------------------------------- */

/* Within '...' nothing is expanded; a quote is written twice.  Other quotes of
 * Unicode end the text as well, so only ASCII comes here (ascii()). */
static void
ps_text(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputc('\'', f);
		fputc(*text, f);
	}
	fputc('\'', f);
}

static void
ps_store(FILE *f, struct view der, const char *store)
{
	fputs("$bytes = [Convert]::FromBase64String(@'\r\n", f);
	b64_write(f, der, 76, "");
	fprintf(f, "'@)\r\n"
		"$cert = New-Object Security.Cryptography.X509Certificates."
		"X509Certificate2 (,$bytes)\r\n"
		"$store = New-Object Security.Cryptography.X509Certificates."
		"X509Store '%s', 'LocalMachine'\r\n"
		"$store.Open('ReadWrite')\r\n"
		"$store.Add($cert)\r\n"
		"$store.Close()\r\n", store);
}

static void
ps_suite(FILE *f, bool is_compat)
{
	fprintf(f, "Set-VpnConnectionIPsecConfiguration -ConnectionName $name "
		"-AllUserConnection `\r\n"
		"    -EncryptionMethod %s -IntegrityCheckMethod %s -DHGroup %s `\r\n"
		"    -CipherTransformConstants %s "
		"-AuthenticationTransformConstants %s `\r\n"
		"    -PfsGroup %s -Force\r\n",
		is_compat ? "AES256" : "GCMAES256",
		is_compat ? "SHA256" : "SHA384",
		is_compat ? "Group14" : "ECP384",
		is_compat ? "AES256" : "GCMAES256",
		is_compat ? "SHA256128" : "GCMAES256",
		is_compat ? "PFS2048" : "ECP384");
}

static void
windows_write(FILE *f, const struct profile *p)
{
	fputs("#Requires -RunAsAdministrator\r\n"
	      "# Run it as: powershell -ExecutionPolicy Bypass -File FILE\r\n"
	      "$ErrorActionPreference = 'Stop'\r\n$name = ", f);
	ps_text(f, p->title);
	fputs("\r\n", f);
	if (p->ca.len > 0)
		ps_store(f, p->ca, "Root");
	if (p->auth == PROFILE_TLS)
		fputs("$eap = (New-EapConfiguration -Tls)"
		      ".EapConfigXmlStream\r\n", f);
	fputs("if (Get-VpnConnection -Name $name -AllUserConnection "
	      "-ErrorAction SilentlyContinue) {\r\n"
	      "    Remove-VpnConnection -Name $name -AllUserConnection -Force\r\n"
	      "}\r\n"
	      "Add-VpnConnection -Name $name -AllUserConnection -TunnelType IKEv2 "
	      "`\r\n    -ServerAddress ", f);
	ps_text(f, p->at);
	fprintf(f, " -AuthenticationMethod %s `\r\n"
		"    -EncryptionLevel Maximum%s%s\r\n",
		p->auth == PROFILE_CERT ? "MachineCertificate" : "EAP",
		p->auth == PROFILE_TLS ? " -EapConfigXmlStream $eap" :
		p->auth == PROFILE_CERT ? "" : " -RememberCredential",
		p->n_net > 0 ? " -SplitTunneling" : "");
	ps_suite(f, p->is_compat);
	for (unsigned i = 0; i < p->n_net; i++) {
		fputs("Add-VpnConnectionRoute -ConnectionName $name "
		      "-AllUserConnection -DestinationPrefix ", f);
		ps_text(f, p->net[i]);
		fputs("\r\n", f);
	}
	if (p->auth == PROFILE_MSCHAPV2) {
		fputs("Write-Host 'User name:' ", f);
		ps_text(f, p->user);
		fputs("\r\n", f);
	}
}

/* ---- Android: JSON ---------------------------------------------------------------- */

/* A view as one line of base64 within the document. */
static int
json_b64(struct json *j, const char *key, struct view v)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return ERR_NOMEM;
	b64_write(f, v, 0, "");
	if (fclose(f) != 0) {
		free(text);
		return ERR_NOMEM;
	}
	json_str(j, key, text);
	free(text);
	return 0;
}

static int
android_write(FILE *f, const struct profile *p)
{
	char uuid[PROFILE_UUID];
	struct json j;
	int err;

	if ((err = profile_uuid(p, "android", uuid)) != 0)
		return err;
	json_init(&j, f);
	json_obj(&j, NULL);
	json_str(&j, "uuid", uuid);
	json_str(&j, "name", p->title);
	json_str(&j, "type", p->auth == PROFILE_CERT ? "ikev2-cert" :
		 p->auth == PROFILE_TLS ? "ikev2-eap-tls" : "ikev2-eap");
	json_obj(&j, "remote");
	json_str(&j, "addr", p->at);
	json_str(&j, "id", p->gateway);
	if (p->ca.len > 0 && (err = json_b64(&j, "cert", p->ca)) != 0)
		return err;
	json_obj_end(&j);
	json_obj(&j, "local");
	json_str(&j, "id", p->user);
	if (p->auth != PROFILE_CERT)
		json_str(&j, "eap_id", p->user);
	if (p->auth != PROFILE_MSCHAPV2 &&
	    (err = json_b64(&j, "p12", p->p12)) != 0)
		return err;
	json_obj_end(&j);
	json_str(&j, "ike-proposal", p->is_compat ?
		 "aes256-sha256-modp2048" : "aes256gcm16-prfsha384-x25519");
	json_str(&j, "esp-proposal", p->is_compat ?
		 "aes256-sha256-modp2048" : "aes256gcm16-x25519");
	if (p->n_net > 0) {
		json_obj(&j, "split-tunneling");
		json_arr(&j, "subnets");
		for (unsigned i = 0; i < p->n_net; i++)
			json_str(&j, NULL, p->net[i]);
		json_arr_end(&j);
		json_obj_end(&j);
	}
	json_obj_end(&j);
	json_end(&j);
	return 0;
}

/* ---- public ------------------------------------------------------------------------ */

/* One line; of control characters none could stand in every form. */
static bool
text_ok(const char *text)
{
	if (*text == '\0' || strlen(text) >= PROFILE_TEXT)
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static int
check(enum profile_kind k, const struct profile *p, char *why, size_t cap)
{
	struct ip_net net;

	if (!text_ok(p->title) || !text_ok(p->at) || !text_ok(p->gateway) ||
	    !text_ok(p->user) || (p->ca_name != NULL && !text_ok(p->ca_name)))
		return fail(why, cap, ERR_SYNTAX, "a name is empty, too long or "
			    "has control characters");
	if (p->n_net > PROFILE_NETS)
		return fail(why, cap, ERR_LONG, "too many networks");
	for (unsigned i = 0; i < p->n_net; i++)
		if (ip_net_parse(p->net[i], &net) != 0)
			return fail(why, cap, ERR_ADDR, "not a network");
	if ((p->auth == PROFILE_CERT || (p->auth == PROFILE_TLS &&
	    k != PROFILE_WINDOWS)) &&
	    (p->p12.len == 0 || p->cert_type == NULL))
		return fail(why, cap, ERR_SYNTAX, "a certificate is wanted, and "
			    "there is none");
	if (k != PROFILE_WINDOWS)
		return 0;
	if (!is_ascii(p->title) || !is_ascii(p->at) || !is_ascii(p->user))
		return fail(why, cap, ERR_SYNTAX, "a PowerShell script takes "
			    "names in ASCII only");
	/* It looks for the name it dials in the certificate and at nothing else. */
	if (strcasecmp(p->at, p->gateway) != 0)
		return fail(why, cap, ERR_UNSUP, "Windows wants the gateway's "
			    "identity to be the name or address it dials");
	if (p->auth == PROFILE_CERT)
		return fail(why, cap, ERR_UNSUP, "a certificate is brought to "
			    "Windows by its own tools (certutil -importpfx)");
	return 0;
}

int
profile_write(FILE *f, enum profile_kind k, const struct profile *p, char *why,
	      size_t cap)
{
	int err = check(k, p, why, cap);

	if (err != 0)
		return err;
	switch (k) {
	case PROFILE_APPLE:
		err = apple_write(f, p);
		break;
	case PROFILE_WINDOWS:
		windows_write(f, p);
		break;
	case PROFILE_ANDROID:
		err = android_write(f, p);
		break;
	case PROFILE_KINDS:
		err = ERR_RANGE;
		break;
	}
	return err == 0 ? 0 : fail(why, cap, err, err_text(err));
}
