/* openapi - catchment openapi: the API's own description, as this version installed it */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "lib/base/poison.h"

#define PATH CATCHMENT_DATADIR "/openapi.json"

static bool copy(FILE *from, struct err *e)
{
	char bytes[16 * 1024];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0)
		if (fwrite(bytes, 1, n, stdout) != n)
			break;
	if (ferror(from) || !cli_flush())
		return err_set(e, ERR_UNAVAILABLE, "openapi_unwritten",
		               "The description could not be written whole; look at where the "
		               "output goes.");
	return true;
}

int cli_openapi(struct cli *cli, int argc, char **argv)
{
	struct err e = { 0 };
	FILE *from;
	bool ok;

	(void)cli;
	(void)argv;
	if (argc != 0)
		return cli_usage("openapi", "");
	from = fopen(PATH, "re");
	if (from == NULL) {
		err_set(&e, ERR_NOT_FOUND, "openapi_missing",
		        "The file %s cannot be read; install this version again.", PATH);
		return cli_say(&e);
	}
	ok = copy(from, &e);
	fclose(from);
	return ok ? CLI_DONE : cli_say(&e);
}
