/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/undef.h - forget the macros of one expansion of secure.def.
 * No include guard: it is included after every expansion.
 */
#undef IPC_MSG
#undef IPC_END
#undef IPC_U8
#undef IPC_U32
#undef IPC_U64
#undef IPC_BOOL
#undef IPC_FIX
#undef IPC_BYTES
#undef IPC_STR
#undef IPC_RESULT
