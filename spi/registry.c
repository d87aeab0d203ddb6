/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/registry.c - the list of built-in providers and who may be used.
 *
 * Thread: the loop, at start-up.
 */
#include "spi/spi.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
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

static int
try_one(const struct spi_esp *p)
{
	int err = p->init();

	/* Another CPU is no fault; the next provider will do. */
	if (err == ERR_UNSUP) {
		log_info("spi", "provider %s: %s; not used", p->head.name,
			 err_text(err));
		return err;
	}
	if ((err = spi_esp_check(p)) != 0)
		log_error("spi", "provider %s: self-test: %s; not used",
			  p->head.name, err_text(err));
	return err;
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
		if ((err = try_one(p)) == 0) {
			log_info("spi", "provider %s: %s", p->head.name,
				 p->head.about);
			*out = p;
			return 0;
		}
	}
	return err;
}

int
spi_esp_get(const char *name, const struct spi_esp **out)
{
	return spi_esp_pick(esp_list, name, out);
}
