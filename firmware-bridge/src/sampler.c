#include "sampler.h"

#include "clock.h"
#include "frame.h"
#include "trigger.h"
#include "twi.h"
#include "uart.h"

#define REG_CONFIG 0
#define REG_SHUNT 1
#define REG_BUS 2
#define REG_POWER 3

#define STATUS_US 1000000UL
#define UNREADABLE 0xffff

/* 32 V, 320 mV, 11 + 11 bit, shunt and bus continuously. */
settings_t settings = {.address = 0x40, .config = 0x3917};

static frame_t samples; /* being filled */
static frame_t event;   /* trigger, status, end: encoded and sent at once */
static uint8_t count;   /* samples in `samples` */
static uint32_t next_counter;
static uint32_t status_us;
static totals_t totals;
static bool streaming;

void sampler_set_rate(uint16_t rate_hz) {
    settings.rate_hz = rate_hz;
    settings.period_us = (uint16_t)((1000000UL + rate_hz / 2) / rate_hz);
    uint8_t n = (uint8_t)(15000UL / settings.period_us); /* a frame about every 15 ms */
    settings.samples_per_frame = n < 1 ? 1 : n;
}

bool sampler_streaming(void) {
    return streaming;
}

static void flush(void) {
    if (count == 0) return;
    frame_end(&samples);
    if (!uart_send(samples.bytes, samples.length)) totals.ring_overruns += count;
    count = 0;
}

/* Waits for room, at most 2.2 ms: unlike samples, an edge or a total has no counter that would betray its loss. */
static void send_event(void) {
    while (!uart_send(event.bytes, event.length)) {
    }
}

static void send_totals(uint8_t type) {
    uint16_t config;
    if (!twi_read(settings.address, REG_CONFIG, &config)) config = UNREADABLE;
    totals.ticks = clock_ticks();
    totals.missed_ticks = clock_missed();
    totals.trigger_overruns = trigger_overruns();
    frame_totals(&event, type, clock_us(), &totals, config);
    send_event();
}

/*
 * Bus first: its conversion-ready bit then says that the shunt register read after it is new as well.
 * The power register is read because that clears the bit.
 */
static bool read_sensor(uint16_t *shunt, uint16_t *bus) {
    uint16_t power;
    return twi_read(settings.address, REG_BUS, bus) && twi_read(settings.address, REG_SHUNT, shunt) &&
           twi_read(settings.address, REG_POWER, &power);
}

/* False when the sensor could not be read. */
static bool take_sample(const tick_t *tick) {
    uint16_t shunt, bus;
    if (!read_sensor(&shunt, &bus)) {
        totals.i2c_errors++;
        return false;
    }
    if (tick->counter != next_counter) flush(); /* no gap inside a frame */
    if (count == 0) frame_samples(&samples, tick->counter, tick->t_us, settings.period_us);
    frame_sample(&samples, (int16_t)shunt, bus);
    next_counter = tick->counter + 1;
    if (++count >= settings.samples_per_frame) flush();
    return true;
}

void sampler_start(void) {
    totals = (totals_t){0};
    count = 0;
    next_counter = 0;
    trigger_clear();
    if (!twi_write(settings.address, REG_CONFIG, settings.config)) totals.i2c_errors++;
    status_us = clock_us();
    streaming = true;
    clock_start(settings.period_us);
}

void sampler_stop(void) {
    if (streaming) {
        tick_t tick;
        clock_stop();
        if (clock_take(&tick)) take_sample(&tick);
        flush();
        streaming = false;
    }
    send_totals(FRAME_END);
}

static void send_edges(void) {
    edge_t edge;
    while (trigger_take(&edge)) {
        if (!streaming) continue;
        frame_trigger(&event, edge.t_us, 0, edge.level);
        send_event();
    }
}

void sampler_poll(void) {
    tick_t tick;
    send_edges();
    if (!streaming || !clock_take(&tick)) return;
    bool read = take_sample(&tick);
    /* A sample that completes a frame, or follows one, leaves too little time before the next tick. */
    bool crowded = read && count < 2 && settings.samples_per_frame > 2;
    if (crowded || tick.t_us - status_us < STATUS_US) return;
    status_us += STATUS_US;
    send_totals(FRAME_STATUS);
}
