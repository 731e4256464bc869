/*
 * Writes golden/frames.json: frames made by the firmware's own encoder, each with the fields it was given.
 * The host's decoder is tested against that file.
 */
#include <inttypes.h>
#include <stdio.h>

#include "frame.h"

static frame_t frame;
static const char *separator = "";

static void emit(const char *name, const char *fields) {
    printf("%s\n  { \"name\": \"%s\", %s, \"hex\": \"", separator, name, fields);
    for (unsigned k = 0; k < frame.length; k++) printf("%02x", frame.bytes[k]);
    printf("\" }");
    separator = ",";
}

typedef struct {
    int16_t shunt;
    uint16_t bus;
} sample_t;

static void samples(const char *name, uint32_t counter, uint32_t t_us, uint16_t period_us, const sample_t *list, unsigned n) {
    static char fields[4096];
    int at = snprintf(fields, sizeof fields,
                      "\"type\": \"samples\", \"counter\": %" PRIu32 ", \"t_us\": %" PRIu32 ", \"period_us\": %u, \"samples\": [",
                      counter, t_us, period_us);
    frame_samples(&frame, counter, t_us, period_us);
    for (unsigned k = 0; k < n; k++) {
        frame_sample(&frame, list[k].shunt, list[k].bus);
        at += snprintf(fields + at, sizeof fields - (size_t)at, "%s[%d, %u]", k ? ", " : "", list[k].shunt, list[k].bus);
    }
    frame_end(&frame);
    snprintf(fields + at, sizeof fields - (size_t)at, "]");
    emit(name, fields);
}

static void totals(const char *name, uint8_t type, const char *word, uint32_t t_us, totals_t list, uint16_t config) {
    char fields[512];
    frame_totals(&frame, type, t_us, &list, config);
    snprintf(fields, sizeof fields,
             "\"type\": \"%s\", \"t_us\": %" PRIu32 ", \"ticks\": %" PRIu32 ", \"i2c_errors\": %" PRIu32
             ", \"ring_overruns\": %" PRIu32 ", \"missed_ticks\": %" PRIu32 ", \"trigger_overruns\": %u, \"config\": %u",
             word, t_us, list.ticks, list.i2c_errors, list.ring_overruns, list.missed_ticks, list.trigger_overruns, config);
    emit(name, fields);
}

static void trigger(const char *name, uint32_t t_us, uint8_t input, uint8_t level) {
    char fields[256];
    frame_trigger(&frame, t_us, input, level);
    snprintf(fields, sizeof fields, "\"type\": \"trigger\", \"t_us\": %" PRIu32 ", \"input\": %u, \"level\": %u", t_us, input, level);
    emit(name, fields);
}

int main(void) {
    static const sample_t one[] = {{1234, (1250 << 3) | 2}};
    static const sample_t negative[] = {{-1, (1250 << 3) | 2}, {-32000, 2}, {32000, (uint16_t)(8000u << 3) | 3}};
    static const sample_t zeros[] = {{0, 0}, {0, 0}, {256, 512}, {-256, 0}};
    static sample_t full[SAMPLES_MAX];
    for (unsigned k = 0; k < SAMPLES_MAX; k++) full[k] = (sample_t){(int16_t)(0x1111 + k), (uint16_t)(0x2222 + 8 * k)};

    printf("[");
    samples("one sample", 0, 1000, 1000, one, 1);
    samples("negative current, both ends of the range, overflow bit", 41, 123456789, 1000, negative, 3);
    samples("zeros everywhere", 0, 0, 256, zeros, 4);
    samples("as long as a frame gets, without a zero", 0x01020304, 0x05060708, 0x0a0b, full, SAMPLES_MAX);
    samples("last before the clock wraps", 4294967, 4294967000u, 1000, one, 1);
    trigger("rising edge", 4294967295u, 0, 1);
    trigger("falling edge", 500, 0, 0);
    totals("status", FRAME_STATUS, "status", 1000500, (totals_t){1000, 0, 0, 0, 0}, 0x3917);
    totals("status of a bad minute", FRAME_STATUS, "status", 4000000000u, (totals_t){70000, 300, 15, 256, 9}, 0xffff);
    totals("end", FRAME_END, "end", 2000500, (totals_t){2000, 1, 2, 3, 4}, 0x3917);
    frame_boot(&frame, 2, 1, 0, 0);
    emit("boot", "\"type\": \"boot\", \"protocol\": 1, \"reset_cause\": 2, \"version\": \"1.0.0\"");
    printf("\n]\n");
    return 0;
}
