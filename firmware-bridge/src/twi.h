/* 16-bit registers of an I2C sensor at 400 kHz. Every wait is bounded: a missing sensor is an error, not a hang. */
#ifndef TWI_H
#define TWI_H

#include <stdbool.h>
#include <stdint.h>

void twi_init(void);
bool twi_read(uint8_t address, uint8_t reg, uint16_t *value);
bool twi_write(uint8_t address, uint8_t reg, uint16_t value);

#endif
