/* Timer 1, free running at 2 MHz: the microsecond clock and, by compare match, the sampling instants. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t counter; /* ticks since the start, this one not counted: the first is 0 */
    uint32_t t_us;
} tick_t;

void clock_init(void);
/* Microseconds since boot, wraps after 71.6 min. `clock_us` is for the main program, `_isr` for interrupts. */
uint32_t clock_us(void);
uint32_t clock_us_isr(void);

void clock_start(uint16_t period_us);
/* No tick happens after this returns; one that already did can still be taken. */
void clock_stop(void);
bool clock_due(void);
bool clock_take(tick_t *tick);
uint32_t clock_ticks(void);
/* Ticks that came before the one preceding them was taken. They have a counter, and no sample. */
uint32_t clock_missed(void);

#endif
