/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_profile.c - profiles for devices: what must be in them, and what
 * a hostile name cannot do.
 */
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include "cli/invite/profile.h"
#include "daemon/base/err.h"
#include "test/lib/test.h"

static char *text, why[160];
static size_t len;

static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };

static struct profile
usual(void)
{
	return (struct profile){
		.title = "Example VPN", .at = "vpn.example.com",
		.gateway = "vpn.example.com", .user = "hanako@sales.example.com",
		.ca = { der, sizeof(der) }, .ca_name = "Example CA",
	};
}

static int
make(enum profile_kind k, const struct profile *p)
{
	FILE *f;
	int err;

	free(text);
	text = NULL;
	f = open_memstream(&text, &len);
	assert_non_null(f);
	err = profile_write(f, k, p, why, sizeof(why));
	fclose(f);
	return err;
}

static bool
says(const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	fprintf(stderr, "no %s in\n%s\n", part, text);
	return false;
}

TEST(apple_profiles_are_xml_with_what_the_device_needs)
{
	struct profile p = usual();
	xmlDoc *doc;

	p.title = "A & <B> \"C\"";
	assert_int_equal(make(PROFILE_APPLE, &p), 0);
	doc = xmlReadMemory(text, (int)len, "p", NULL, XML_PARSE_NONET |
			    XML_PARSE_NOERROR);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	assert_true(says("<key>VPNType</key><string>IKEv2</string>"));
	assert_true(says("<string>A &amp; &lt;B&gt; \"C\"</string>"));
	assert_true(says("<key>ExtendedAuthEnabled</key><integer>1</integer>"));
	assert_true(says("<key>EncryptionAlgorithm</key>"
			 "<string>AES-256-GCM</string>"));
	assert_true(says("<key>DiffieHellmanGroup</key><integer>20</integer>"));
	assert_true(says("<string>com.apple.security.root</string>"));
	assert_true(says("MAMCAQU=\n"));
	assert_null(strstr(text, "AuthPassword"));
	p.auth = PROFILE_CERT;
	assert_int_equal(make(PROFILE_APPLE, &p), ERR_SYNTAX);
	p.p12 = p.ca;
	p.cert_type = "ECDSA256";
	assert_int_equal(make(PROFILE_APPLE, &p), 0);
	assert_true(says("<key>ExtendedAuthEnabled</key><integer>0</integer>"));
	assert_true(says("<string>com.apple.security.pkcs12</string>"));
	free(text);
	text = NULL;
}

TEST(a_certificate_by_eap_tls_is_named_in_each_form)
{
	struct profile p = usual();

	p.auth = PROFILE_TLS;
	assert_int_equal(make(PROFILE_APPLE, &p), ERR_SYNTAX);
	assert_int_equal(make(PROFILE_ANDROID, &p), ERR_SYNTAX);
	p.p12 = p.ca;
	p.cert_type = "ECDSA256";
	assert_int_equal(make(PROFILE_APPLE, &p), 0);
	assert_true(says("<key>AuthenticationMethod</key><string>None</string>"));
	assert_true(says("<key>ExtendedAuthEnabled</key><integer>1</integer>"));
	assert_true(says("<key>PayloadCertificateUUID</key>"));
	assert_true(says("<key>TLSMaximumVersion</key><string>1.2</string>"));
	assert_true(says("<string>com.apple.security.pkcs12</string>"));
	assert_null(strstr(text, "AuthName"));
	assert_int_equal(make(PROFILE_ANDROID, &p), 0);
	assert_true(says("\"ikev2-eap-tls\""));
	assert_true(says("\"eap_id\""));
	assert_true(says("\"p12\""));
	p.p12.len = 0;
	assert_int_equal(make(PROFILE_WINDOWS, &p), 0);
	assert_true(says("$eap = (New-EapConfiguration -Tls)."
			 "EapConfigXmlStream\r\n"));
	assert_true(says("-AuthenticationMethod EAP `\r\n"));
	assert_true(says(" -EapConfigXmlStream $eap"));
	assert_null(strstr(text, "RememberCredential"));
	assert_null(strstr(text, "User name"));
	free(text);
	text = NULL;
}

TEST(identifiers_are_the_same_each_time_and_different_for_others)
{
	struct profile p = usual();
	char a[PROFILE_UUID], b[PROFILE_UUID];

	assert_int_equal(profile_uuid(&p, "vpn", a), 0);
	p.title = "Another title";
	assert_int_equal(profile_uuid(&p, "vpn", b), 0);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), PROFILE_UUID - 1);
	assert_true(a[14] == '8' && strchr("89ab", a[19]) != NULL);
	assert_int_equal(profile_uuid(&p, "authority", b), 0);
	assert_string_not_equal(a, b);
	p.user = "taro@sales.example.com";
	assert_int_equal(profile_uuid(&p, "vpn", b), 0);
	assert_string_not_equal(a, b);
}

TEST(windows_scripts_choose_algorithms_and_hold_no_other_command)
{
	struct profile p = usual();

	p.title = "it's'; Remove-Item C:\\ #";
	p.n_net = 2;
	p.net[0] = "10.20.0.0/16";
	p.net[1] = "fd00::/48";
	assert_int_equal(make(PROFILE_WINDOWS, &p), 0);
	assert_true(says("$name = 'it''s''; Remove-Item C:\\ #'\r\n"));
	assert_true(says("-EncryptionMethod GCMAES256"));
	assert_true(says("-DHGroup ECP384"));
	assert_true(says("-SplitTunneling"));
	assert_true(says("-DestinationPrefix '10.20.0.0/16'"));
	assert_null(strstr(text, "MODP1024"));
	p.title = "it\xe2\x80\x99s";	/* a quote to PowerShell as well */
	assert_int_equal(make(PROFILE_WINDOWS, &p), ERR_SYNTAX);
	p.title = "a\r\nb";
	assert_int_equal(make(PROFILE_WINDOWS, &p), ERR_SYNTAX);
	p = usual();
	p.is_compat = true;
	assert_int_equal(make(PROFILE_WINDOWS, &p), 0);
	assert_true(says("-DHGroup Group14"));
	assert_null(strstr(text, "SplitTunneling"));
	p.gateway = "gw";
	assert_int_equal(make(PROFILE_WINDOWS, &p), ERR_UNSUP);
	free(text);
	text = NULL;
}

TEST(android_profiles_are_json_with_what_the_app_reads)
{
	struct profile p = usual();

	p.title = "say \"hi\"\\";
	p.n_net = 1;
	p.net[0] = "10.20.0.0/16";
	assert_int_equal(make(PROFILE_ANDROID, &p), 0);
	assert_true(says("\"say \\\"hi\\\"\\\\\""));
	assert_true(says("\"ikev2-eap\""));
	assert_true(says("\"MAMCAQU=\""));
	assert_true(says("\"eap_id\""));
	assert_true(says("\"subnets\""));
	p.net[0] = "10.20.0.0/40";
	assert_int_equal(make(PROFILE_ANDROID, &p), ERR_ADDR);
	p = usual();
	p.user = "";
	assert_int_equal(make(PROFILE_ANDROID, &p), ERR_SYNTAX);
	free(text);
	text = NULL;
}
