/*
 * poison - functions that this project never calls
 *
 * Included last among the includes of each .c file. Unbounded writes (strcpy, strcat, sprintf),
 * silent truncation (strncpy), hidden state (strtok) and unchecked numbers (atoi) become errors.
 */
#ifndef CATCHMENT_BASE_POISON_H
#define CATCHMENT_BASE_POISON_H

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strtok atoi atol atof gets

#endif
