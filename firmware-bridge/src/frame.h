/*
 * Encoder of the binary frames of PROTOCOL.md. Touches no hardware: the bridge and the golden generator
 * compile this very file.
 *
 * A frame is encoded while it is filled, so that sending one costs no burst of work.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

#define PROTOCOL_VERSION 1

#define FRAME_SAMPLES 0x01
#define FRAME_TRIGGER 0x02
#define FRAME_STATUS 0x03
#define FRAME_END 0x04
#define FRAME_BOOT 0x05

#define SAMPLES_MAX 50
/* Header of SAMPLES, its samples, CRC; one COBS code byte (payloads stay below 254) and two delimiters. */
#define FRAME_MAX (11 + 4 * SAMPLES_MAX + 2 + 1 + 2)

typedef struct {
    uint8_t bytes[FRAME_MAX];
    uint8_t length;
    uint8_t code_at; /* where the COBS code of the open group goes */
    uint16_t crc;
} frame_t;

/* Totals since `start`; END carries the final ones. */
typedef struct {
    uint32_t ticks;
    uint32_t i2c_errors;
    uint32_t ring_overruns;
    uint32_t missed_ticks;
    uint16_t trigger_overruns;
} totals_t;

void frame_begin(frame_t *frame, uint8_t type);
void frame_u8(frame_t *frame, uint8_t value);
void frame_u16(frame_t *frame, uint16_t value);
void frame_u32(frame_t *frame, uint32_t value);
void frame_end(frame_t *frame);

void frame_samples(frame_t *frame, uint32_t counter, uint32_t t_us, uint16_t period_us);
void frame_sample(frame_t *frame, int16_t shunt, uint16_t bus);
void frame_trigger(frame_t *frame, uint32_t t_us, uint8_t input, uint8_t level);
void frame_totals(frame_t *frame, uint8_t type, uint32_t t_us, const totals_t *totals, uint16_t config);
void frame_boot(frame_t *frame, uint8_t reset_cause, uint8_t major, uint8_t minor, uint8_t patch);

#endif
