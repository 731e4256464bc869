#include "frame.h"

/* CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xffff, not reflected), one byte at a time without a table. */
static uint16_t crc16(uint16_t crc, uint8_t value) {
    crc = (uint16_t)((crc >> 8) | (crc << 8));
    crc ^= value;
    crc ^= (uint8_t)(crc & 0xff) >> 4;
    crc ^= (uint16_t)(crc << 12);
    crc ^= (uint16_t)((crc & 0xff) << 5);
    return crc;
}

static void close_group(frame_t *frame) {
    frame->bytes[frame->code_at] = (uint8_t)(frame->length - frame->code_at);
}

static void stuff(frame_t *frame, uint8_t value) {
    if (value == 0) {
        close_group(frame);
        frame->code_at = frame->length++;
        return;
    }
    frame->bytes[frame->length++] = value;
}

void frame_begin(frame_t *frame, uint8_t type) {
    frame->bytes[0] = 0;
    frame->code_at = 1;
    frame->length = 2;
    frame->crc = 0xffff;
    frame_u8(frame, type);
}

void frame_u8(frame_t *frame, uint8_t value) {
    frame->crc = crc16(frame->crc, value);
    stuff(frame, value);
}

void frame_u16(frame_t *frame, uint16_t value) {
    frame_u8(frame, (uint8_t)value);
    frame_u8(frame, (uint8_t)(value >> 8));
}

void frame_u32(frame_t *frame, uint32_t value) {
    frame_u16(frame, (uint16_t)value);
    frame_u16(frame, (uint16_t)(value >> 16));
}

void frame_end(frame_t *frame) {
    uint16_t crc = frame->crc;
    stuff(frame, (uint8_t)crc);
    stuff(frame, (uint8_t)(crc >> 8));
    close_group(frame);
    frame->bytes[frame->length++] = 0;
}

void frame_samples(frame_t *frame, uint32_t counter, uint32_t t_us, uint16_t period_us) {
    frame_begin(frame, FRAME_SAMPLES);
    frame_u32(frame, counter);
    frame_u32(frame, t_us);
    frame_u16(frame, period_us);
}

void frame_sample(frame_t *frame, int16_t shunt, uint16_t bus) {
    frame_u16(frame, (uint16_t)shunt);
    frame_u16(frame, bus);
}

void frame_trigger(frame_t *frame, uint32_t t_us, uint8_t input, uint8_t level) {
    frame_begin(frame, FRAME_TRIGGER);
    frame_u32(frame, t_us);
    frame_u8(frame, input);
    frame_u8(frame, level);
    frame_end(frame);
}

void frame_totals(frame_t *frame, uint8_t type, uint32_t t_us, const totals_t *totals, uint16_t config) {
    frame_begin(frame, type);
    frame_u32(frame, t_us);
    frame_u32(frame, totals->ticks);
    frame_u32(frame, totals->i2c_errors);
    frame_u32(frame, totals->ring_overruns);
    frame_u32(frame, totals->missed_ticks);
    frame_u16(frame, totals->trigger_overruns);
    frame_u16(frame, config);
    frame_end(frame);
}

void frame_boot(frame_t *frame, uint8_t reset_cause, uint8_t major, uint8_t minor, uint8_t patch) {
    frame_begin(frame, FRAME_BOOT);
    frame_u8(frame, PROTOCOL_VERSION);
    frame_u8(frame, reset_cause);
    frame_u8(frame, major);
    frame_u8(frame, minor);
    frame_u8(frame, patch);
    frame_end(frame);
}
