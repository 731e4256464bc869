#include "twi.h"

#include <avr/io.h>
#include <util/delay.h>
#include <util/twi.h>

#define SDA PC4
#define SCL PC5
/* One byte takes 22.5 us; a turn of the waiting loop about 0.5 us. */
#define WAIT_TURNS 250

static bool timed_out;

void twi_init(void) {
    PORTC |= _BV(SDA) | _BV(SCL); /* weak pull-ups help a module that has none */
    TWBR = 12;                    /* 16 MHz / (16 + 2 * 12) = 400 kHz, prescaler 1 */
    TWCR = _BV(TWEN);
}

static bool wait(uint8_t mask, uint8_t wanted) {
    for (uint8_t n = WAIT_TURNS; n; n--)
        if ((TWCR & mask) == wanted) return true;
    timed_out = true;
    return false;
}

static bool step(uint8_t control, uint8_t expected) {
    TWCR = control | _BV(TWINT) | _BV(TWEN);
    return wait(_BV(TWINT), _BV(TWINT)) && TW_STATUS == expected;
}

static bool start(void) {
    return step(_BV(TWSTA), TW_START) || TW_STATUS == TW_REP_START;
}

static bool put(uint8_t value, uint8_t expected) {
    TWDR = value;
    return step(0, expected);
}

static bool point(uint8_t address, uint8_t reg) {
    return start() && put((uint8_t)(address << 1), TW_MT_SLA_ACK) && put(reg, TW_MT_DATA_ACK);
}

static void stop(void) {
    TWCR = _BV(TWINT) | _BV(TWEN) | _BV(TWSTO);
    wait(_BV(TWSTO), 0);
}

/* A sensor cut off in mid-byte holds SDA low; nine clocks let it finish, then a stop condition (NXP UM10204, 3.1.16). */
static void recover(void) {
    TWCR = 0;
    for (uint8_t n = 9; n; n--) {
        PORTC &= (uint8_t)~_BV(SCL);
        DDRC |= _BV(SCL);
        _delay_us(2);
        DDRC &= (uint8_t)~_BV(SCL);
        PORTC |= _BV(SCL);
        _delay_us(2);
    }
    PORTC &= (uint8_t)~_BV(SDA);
    DDRC |= _BV(SDA);
    _delay_us(2);
    DDRC &= (uint8_t)~_BV(SDA);
    PORTC |= _BV(SDA);
    TWCR = _BV(TWEN);
}

static bool finish(bool ok) {
    if (!timed_out) stop();
    if (timed_out) recover();
    return ok && !timed_out;
}

bool twi_read(uint8_t address, uint8_t reg, uint16_t *value) {
    timed_out = false;
    bool ok = point(address, reg) && start() && put((uint8_t)(address << 1) | 1, TW_MR_SLA_ACK);
    if (ok && (ok = step(_BV(TWEA), TW_MR_DATA_ACK))) *value = (uint16_t)(TWDR << 8);
    if (ok && (ok = step(0, TW_MR_DATA_NACK))) *value |= TWDR;
    return finish(ok);
}

bool twi_write(uint8_t address, uint8_t reg, uint16_t value) {
    timed_out = false;
    bool ok = point(address, reg) && put((uint8_t)(value >> 8), TW_MT_DATA_ACK) && put((uint8_t)value, TW_MT_DATA_ACK);
    return finish(ok);
}
