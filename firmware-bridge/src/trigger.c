#include "trigger.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "clock.h"

static edge_t queue[8];
static volatile uint8_t head, tail;
static volatile uint16_t overruns;
#define MASK (sizeof queue / sizeof queue[0] - 1)

void trigger_init(void) {
    PORTD |= _BV(PD2);   /* pull-up: an open input is high */
    EICRA = _BV(ISC00);  /* any edge */
    EIFR = _BV(INTF0);
    EIMSK = _BV(INT0);
}

ISR(INT0_vect) {
    uint32_t t_us = clock_us_isr();
    uint8_t level = (PIND >> PD2) & 1;
    uint8_t next = (head + 1) & MASK;
    if (next == tail) {
        overruns++;
        return;
    }
    queue[head].t_us = t_us;
    queue[head].level = level;
    head = next;
}

void trigger_clear(void) {
    ATOMIC_BLOCK(ATOMIC_FORCEON) {
        tail = head;
        overruns = 0;
    }
}

bool trigger_waiting(void) {
    return head != tail;
}

bool trigger_take(edge_t *edge) {
    if (!trigger_waiting()) return false;
    *edge = queue[tail];
    tail = (tail + 1) & MASK;
    return true;
}

uint16_t trigger_overruns(void) {
    uint16_t copy;
    ATOMIC_BLOCK(ATOMIC_FORCEON) copy = overruns;
    return copy;
}
