/* The arena with a block for each piece, so that each piece is an allocation that can fail. */
#define BLOCK_FIRST 16
#define BLOCK_MOST  16
#include "lib/base/arena.c" /* config.h comes with it */
