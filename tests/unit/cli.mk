# Unit tests of the command line's own parts.
check_PROGRAMS += tests/unit/cli_table.tap
TESTS += tests/unit/cli_table.tap
tests_unit_cli_table_tap_SOURCES = tests/unit/cli_table.c cli/table.c cli/words.c
tests_unit_cli_table_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_cli_table_tap_LDADD = $(LIB_UNIT_LDADD)
# The doctor, on a private database where each thing is broken on purpose.
dist_check_SCRIPTS += tests/unit/doctor.sh
TESTS += tests/unit/doctor.sh
# The manual and the completion against the table of commands.
dist_check_SCRIPTS += tests/unit/manual.sh
TESTS += tests/unit/manual.sh
