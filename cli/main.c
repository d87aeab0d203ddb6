/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/main.c - the tapir command: everything is behind cli_main().
 */
#include <stdio.h>
#include "cli/cli.h"

int
main(int argc, char **argv)
{
	int status = cli_main(argc, argv, stdout, stderr);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("tapir: cannot write the output");
		return CLI_FAILED;
	}
	return status;
}
