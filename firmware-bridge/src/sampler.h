/* Reads the INA219 at every tick and sends what it read. */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_MIN_HZ 50
#define RATE_MAX_HZ 1500 /* a sample takes 0.5 ms of bus and encoding, a status another 0.2 ms */

typedef struct {
    uint16_t rate_hz;
    uint16_t period_us;
    uint8_t samples_per_frame;
    uint8_t address;
    uint16_t config; /* the INA219's configuration register, as the host wants it */
} settings_t;

extern settings_t settings;

void sampler_set_rate(uint16_t rate_hz);
bool sampler_streaming(void);
void sampler_start(void);
/* Sends what is left and END; END again, unchanged, when nothing runs. */
void sampler_stop(void);
/* One turn: takes a due sample, sends edges and the 1 Hz status. */
void sampler_poll(void);

#endif
