/* UART at 1 Mbaud 8N1 behind two rings. Text waits for room; a frame goes in whole or not at all. */
#ifndef UART_H
#define UART_H

#include <avr/pgmspace.h>
#include <stdbool.h>
#include <stdint.h>

void uart_init(void);
/* False when the frame does not fit now: it is dropped, never cut. */
bool uart_send(const uint8_t *bytes, uint8_t length);
/* The next received byte, or -1. */
int16_t uart_receive(void);
bool uart_received(void);

void uart_char(char c);
void uart_text(PGM_P text);
void uart_decimal(uint32_t value);
void uart_hex(uint16_t value);

#endif
