#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>

/* 256 entries: an 8-bit index wraps by itself and is read in one instruction, so no lock is needed. */
static uint8_t tx[256];
static volatile uint8_t tx_head, tx_tail;

static uint8_t rx[128];
static volatile uint8_t rx_head, rx_tail;
#define RX_MASK (sizeof rx - 1)

void uart_init(void) {
    UCSR0A = _BV(U2X0); /* before TXEN */
    UBRR0 = 1;          /* 16 MHz / (8 * 2) = 1 Mbaud, exactly */
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

/* Turned off right after the last byte, not one interrupt later: emulators deliver this interrupt per edge. */
ISR(USART_UDRE_vect) {
    uint8_t tail = tx_tail;
    UDR0 = tx[tail++];
    tx_tail = tail;
    if (tail == tx_head) UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

ISR(USART_RX_vect) {
    uint8_t value = UDR0;
    uint8_t next = (rx_head + 1) & RX_MASK;
    if (next == rx_tail) return; /* the command comes out cut, is refused, and is sent again */
    rx[rx_head] = value;
    rx_head = next;
}

static uint8_t room(void) {
    return (uint8_t)(tx_tail - tx_head - 1);
}

bool uart_send(const uint8_t *bytes, uint8_t length) {
    if (room() < length) return false;
    uint8_t head = tx_head;
    while (length--) tx[head++] = *bytes++;
    tx_head = head;
    UCSR0B |= _BV(UDRIE0);
    return true;
}

bool uart_received(void) {
    return rx_head != rx_tail;
}

int16_t uart_receive(void) {
    if (!uart_received()) return -1;
    uint8_t value = rx[rx_tail];
    rx_tail = (rx_tail + 1) & RX_MASK;
    return value;
}

void uart_char(char c) {
    while (!uart_send((const uint8_t *)&c, 1)) {
    }
}

void uart_text(PGM_P text) {
    for (char c; (c = (char)pgm_read_byte(text)) != 0; text++) uart_char(c);
}

void uart_decimal(uint32_t value) {
    char digits[10];
    uint8_t n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n) uart_char(digits[--n]);
}

void uart_hex(uint16_t value) {
    uart_text(PSTR("0x"));
    for (int8_t shift = 12; shift >= 0; shift -= 4) {
        uint8_t nibble = (value >> shift) & 0xf;
        uart_char((char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10));
    }
}
