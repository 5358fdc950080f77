/*
 * poison - functions that this project never calls
 *
 * Included last among the includes of each .c file. Unbounded writes (strcpy, strcat, sprintf),
 * silent truncation (strncpy), hidden state (strtok) and unchecked numbers (atoi) become errors.
 * glibc makes some of these names macros when it checks bounds under clang, and a compiler warns
 * of poisoning a macro: so the macros go first.
 */
#ifndef CATCHMENT_BASE_POISON_H
#define CATCHMENT_BASE_POISON_H

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strtok
#undef atoi
#undef atol
#undef atof
#undef gets
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strtok atoi atol atof gets

#endif
