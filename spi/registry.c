/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/registry.c - the list of built-in providers and who may be used.
 *
 * The preference is among the built-in ones; a plug-in is used when it is
 * named, and never because it lies there.
 *
 * Thread: the loop, at start-up.
 */
#include "spi/spi.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "spi/plugin.h"
#include "spi/spi_esp.h"

#define SPI_ESP(sym_) extern const struct spi_esp sym_;
#include "spi/providers.def"
#undef SPI_ESP

static const struct spi_esp *const esp_list[] = {
#define SPI_ESP(sym_) &sym_,
#include "spi/providers.def"
#undef SPI_ESP
	NULL
};

const struct spi_esp *
spi_esp_at(unsigned i)
{
	return i < N_OF(esp_list) ? esp_list[i] : NULL;
}

int
spi_esp_try(const struct spi_esp *p)
{
	int err = p->init();

	return err == ERR_UNSUP ? err : spi_esp_check(p);
}

int
spi_esp_pick(const struct spi_esp *const *list, const char *name,
	     const struct spi_esp **out)
{
	int err = ERR_NOTFOUND;

	for (unsigned i = 0; list[i] != NULL; i++) {
		const struct spi_esp *p = list[i];

		if (name != NULL && strcmp(name, p->head.name) != 0)
			continue;
		if ((err = spi_esp_try(p)) == 0) {
			log_info("spi", "provider %s: %s", p->head.name,
				 p->head.about);
			*out = p;
			return 0;
		}
		/* Another CPU is no fault; the next provider will do, unless
		 * this one was asked for. */
		log_write(err == ERR_UNSUP && name == NULL ? LOG_INFO :
			  LOG_ERROR, "spi", "provider %s: self-test: %s; not "
			  "used", p->head.name, err_text(err));
	}
	return err;
}

static bool
is_builtin(const char *name)
{
	for (unsigned i = 0; esp_list[i] != NULL; i++)
		if (strcmp(esp_list[i]->head.name, name) == 0)
			return true;
	return false;
}

int
spi_esp_load(const char *name)
{
	static const struct spi_place place = { TAPIR_PLUGINS, 0 };
	const struct spi_esp *p;

	if (name == NULL || is_builtin(name))
		return 0;
	return spi_plugin_load(&place, name, &p);
}

int
spi_esp_get(const char *name, const struct spi_esp **out)
{
	const struct spi_esp *p = name != NULL ? spi_plugin_find(name) : NULL;

	if (p == NULL)
		return spi_esp_pick(esp_list, name, out);
	*out = p; /* it passed its check when it was loaded */
	return 0;
}
