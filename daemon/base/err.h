/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/err.h - the one list of errors, expanded from err.def.
 */
#ifndef TAPIR_BASE_ERR_H
#define TAPIR_BASE_ERR_H

enum err_index {
	ERR_IDX_OK,
#define ERR(name_, text_) name_##_IDX,
#include "daemon/base/err.def"
#undef ERR
	ERR_IDX_END
};
enum err {
	ERR_OK = 0,
#define ERR(name_, text_) name_ = -(int)name_##_IDX,
#include "daemon/base/err.def"
#undef ERR
};

/** The sentence of an error (0 is "done"); never NULL, static. */
const char *err_text(int err);
/** The name of an error as written in err.def; never NULL, static. */
const char *err_name(int err);

#endif
