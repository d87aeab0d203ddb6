/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/log.c - the built-in providers of the log.
 *
 * Thread: any; nothing here changes.
 */
#include "spi/spi_log.h"
#include <string.h>

extern const struct spi_log spi_log_journal, spi_log_syslog, spi_log_file;

static const struct spi_log *const list[] = {
	&spi_log_journal, &spi_log_syslog, &spi_log_file,
};

const struct spi_log *
spi_log_find(const char *name)
{
	for (unsigned i = 0; i < N_OF(list); i++)
		if (strcmp(list[i]->head.name, name) == 0)
			return list[i];
	return NULL;
}
