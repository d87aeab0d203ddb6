/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_text.h - records for people and scripts: sentences and JSON.
 *
 * Values may come from strangers.  In sentences, control characters, invalid
 * UTF-8 and invisible direction marks become \xNN; JSON escapes as RFC 8259
 * asks, with U+FFFD for what is not UTF-8.
 */
#ifndef TAPIR_BUS_BUS_TEXT_H
#define TAPIR_BUS_BUS_TEXT_H

#include <stdio.h>
#include "daemon/bus/bus.h"

/** An event as its sentence; other records as "name key=value ...".  Truncates,
 * always terminates.  @return out. */
const char *bus_event_text(const struct bus_rec *r, char *out, size_t cap);
/** The part of the program an event is about: tapird, conf, realm, ike, esp,
 * hub. */
const char *bus_event_part(const struct bus_desc *d);
/** Untrusted text made printable (UTF-8 kept).  @return out. */
const char *bus_print_text(const char *text, char *out, size_t cap);

/** Write one JSON string with its quotes. */
void bus_json_str(FILE *f, const char *text);
/** Write "key":value,... of all fields, without braces. */
void bus_json_fields(FILE *f, const struct bus_rec *r);
/** Write the record as one object on one line, without newline: its class and
 * name, {"event":"peer-up",...; for events also seq, time_ms, severity and
 * sentence; then all fields. */
void bus_rec_json(const struct bus_rec *r, FILE *f);

#endif
