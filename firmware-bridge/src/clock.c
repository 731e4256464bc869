#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

static volatile uint32_t overflows; /* of 32.768 ms */
static volatile tick_t latest;
static volatile uint32_t ticks, missed;
static volatile bool due;
static uint16_t period;

void clock_init(void) {
    TCCR1A = 0;
    TCCR1B = _BV(CS11);
    TIMSK1 = _BV(TOIE1);
}

ISR(TIMER1_OVF_vect) {
    overflows++;
}

ISR(TIMER1_COMPA_vect) {
    OCR1A += (uint16_t)(period << 1);
    latest.t_us += period;
    latest.counter = ticks++;
    if (due) missed++;
    due = true;
}

uint32_t clock_us_isr(void) {
    uint16_t count = TCNT1;
    uint32_t high = overflows;
    if ((TIFR1 & _BV(TOV1)) && count < 0x8000) high++; /* overflowed, and its interrupt is still waiting */
    return (high << 15) + (count >> 1);
}

uint32_t clock_us(void) {
    uint32_t now;
    ATOMIC_BLOCK(ATOMIC_FORCEON) now = clock_us_isr();
    return now;
}

void clock_start(uint16_t period_us) {
    uint32_t now = clock_us();
    ATOMIC_BLOCK(ATOMIC_FORCEON) {
        period = period_us;
        latest.t_us = now;
        ticks = missed = 0;
        due = false;
        OCR1A = (uint16_t)((now + period_us) << 1);
        TIFR1 = _BV(OCF1A);
        TIMSK1 |= _BV(OCIE1A);
    }
}

void clock_stop(void) {
    ATOMIC_BLOCK(ATOMIC_FORCEON) TIMSK1 = _BV(TOIE1);
}

bool clock_due(void) {
    return due;
}

bool clock_take(tick_t *tick) {
    if (!due) return false;
    ATOMIC_BLOCK(ATOMIC_FORCEON) {
        tick->counter = latest.counter;
        tick->t_us = latest.t_us;
        due = false;
    }
    return true;
}

static uint32_t read(const volatile uint32_t *value) {
    uint32_t copy;
    ATOMIC_BLOCK(ATOMIC_FORCEON) copy = *value;
    return copy;
}

uint32_t clock_ticks(void) {
    return read(&ticks);
}

uint32_t clock_missed(void) {
    return read(&missed);
}
