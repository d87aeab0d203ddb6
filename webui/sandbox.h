/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/sandbox.h - the fence of tapir-web.
 */
#ifndef TAPIR_WEBUI_SANDBOX_H
#define TAPIR_WEBUI_SANDBOX_H

#include "daemon/ipc/confine.h"

/** Give up everything but the descriptors that are open: no file, no socket, no
 * process, no signal.  0, or an error that is logged. */
MUST_USE int ui_confine(const struct confine_user *u);

#endif
