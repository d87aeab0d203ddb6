/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi.h - what a provider is.
 *
 * A provider is a table of functions behind one of the interfaces spi_*.h.
 * It is built in (spi/providers.def; the order is the preference) or a plug-in
 * (spi/plugin.h), tried with known answers before its first use, and refused
 * when it fails: a machine with a broken library gets no tunnel rather than a
 * wrong one.
 */
#ifndef TAPIR_SPI_SPI_H
#define TAPIR_SPI_SPI_H

#include "daemon/base/base.h"

/* Rises with every change of a function table. */
#define SPI_VERSION 1

/* First member of a provider's table. */
struct spi_head {
	uint32_t version;	/* SPI_VERSION it was written for */
	const char *name;	/* one word, for the configuration */
	const char *about;	/* one line, for people */
};
#define SPI_NAME_MAX  63	/* bytes of a name */
#define SPI_ABOUT_MAX 100	/* bytes of that line */

/* What kind of provider a plug-in holds; the first word of its file's name. */
enum spi_kind {
	SPI_KIND_ESP = 1	/* "esp": struct spi_esp of spi/spi_esp.h */
};

#define SPI_PLUGIN_MAGIC 0x74617069u	/* "tapi" */

/* The one symbol of a plug-in.  Everything in it is compared for equality: a
 * plug-in is built for one version of the interface and no other. */
struct spi_plugin {
	uint32_t magic;		/* SPI_PLUGIN_MAGIC */
	uint32_t version;	/* SPI_VERSION */
	uint32_t kind;		/* enum spi_kind */
	uint32_t size;		/* sizeof the table below */
	const void *table;	/* struct spi_esp */
};
extern const struct spi_plugin tapir_plugin;	/* in plug-ins only */

#endif
