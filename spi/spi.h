/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi.h - what a provider is.
 *
 * A provider is a table of functions behind one of the interfaces spi_*.h.
 * It is built in (spi/providers.def; the order is the preference), tried with
 * known answers before its first use, and refused when it fails: a machine
 * with a broken library gets no tunnel rather than a wrong one.
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

#endif
