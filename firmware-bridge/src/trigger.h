/* Edges of the trigger input D2 (INT0), stamped in their interrupt. */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t t_us;
    uint8_t level;
} edge_t;

void trigger_init(void);
void trigger_clear(void);
bool trigger_waiting(void);
bool trigger_take(edge_t *edge);
/* Edges that found the queue full. */
uint16_t trigger_overruns(void);

#endif
