#include "console.h"

#include <avr/pgmspace.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "sampler.h"
#include "uart.h"

#define MAJOR 1
#define MINOR 0
#define PATCH 0

static char line[80];
static uint8_t length;
static bool too_long;

static void print_settings(void) {
    uart_text(PSTR(" rate_hz="));
    uart_decimal(settings.rate_hz);
    uart_text(PSTR(" period_us="));
    uart_decimal(settings.period_us);
    uart_text(PSTR(" samples_per_frame="));
    uart_decimal(settings.samples_per_frame);
    uart_text(PSTR(" reg="));
    uart_hex(settings.config);
    uart_text(PSTR(" addr="));
    uart_hex(settings.address);
    uart_char('\n');
}

static void print_id(void) {
    uart_text(PSTR("joulebench-bridge "));
    uart_decimal(MAJOR);
    uart_char('.');
    uart_decimal(MINOR);
    uart_char('.');
    uart_decimal(PATCH);
    uart_text(PSTR(" protocol="));
    uart_decimal(PROTOCOL_VERSION);
    uart_text(PSTR(" mcu=atmega328p sensor=ina219"));
    print_settings();
}

void console_boot(unsigned char reset_cause) {
    frame_t frame;
    frame_boot(&frame, reset_cause, MAJOR, MINOR, PATCH);
    uart_send(frame.bytes, frame.length);
    print_id();
}

/* One `key=value`; the value decimal or 0x… */
static bool set(char *pair, settings_t *wanted) {
    char *value = strchr(pair, '=');
    char *end;
    if (!value) return false;
    *value++ = 0;
    unsigned long number = strtoul(value, &end, 0);
    if (*value == 0 || *end != 0) return false;
    if (!strcmp_P(pair, PSTR("rate_hz")) && number >= RATE_MIN_HZ && number <= RATE_MAX_HZ)
        wanted->rate_hz = (uint16_t)number;
    else if (!strcmp_P(pair, PSTR("reg")) && number <= 0x7fff) /* bit 15 would reset the sensor */
        wanted->config = (uint16_t)number;
    else if (!strcmp_P(pair, PSTR("addr")) && number >= 0x40 && number <= 0x4f)
        wanted->address = (uint8_t)number;
    else
        return false;
    return true;
}

static void configure(char *pairs) {
    settings_t wanted = settings;
    for (char *pair = strtok(pairs, " "); pair; pair = strtok(NULL, " "))
        if (!set(pair, &wanted)) {
            uart_text(PSTR("error config: rate_hz=50..1500 reg=0x0000..0x7fff addr=0x40..0x4f expected\n"));
            return;
        }
    settings = wanted;
    sampler_set_rate(wanted.rate_hz);
    uart_text(PSTR("ok config"));
    print_settings();
}

static void start(void) {
    uart_text(PSTR("ok start\n"));
    sampler_start();
}

static void stop(void) {
    sampler_stop();
    uart_text(PSTR("ok stop\n"));
}

static void ping(void) {
    uart_text(PSTR("pong "));
    uart_decimal(clock_us());
    uart_char('\n');
}

static void execute(void) {
    char *rest = strchr(line, ' ');
    if (rest) *rest++ = 0;
    if (!strcmp_P(line, PSTR("stop"))) return stop();
    if (!strcmp_P(line, PSTR("ping"))) return ping();
    if (!strcmp_P(line, PSTR("id"))) return print_id();
    bool idle_only = !strcmp_P(line, PSTR("start")) || !strcmp_P(line, PSTR("config"));
    if (idle_only && sampler_streaming()) return uart_text(PSTR("error streaming: stop expected first\n"));
    if (!strcmp_P(line, PSTR("start"))) return start();
    if (!strcmp_P(line, PSTR("config"))) return configure(rest ? rest : line + strlen(line));
    uart_text(PSTR("error command: id, config, start, stop or ping expected\n"));
}

void console_poll(void) {
    for (int16_t c; (c = uart_receive()) >= 0;) {
        if (c == '\r') continue;
        if (c != '\n') {
            if (length < sizeof line - 1) line[length++] = (char)c;
            else too_long = true;
            continue;
        }
        line[length] = 0;
        if (too_long) uart_text(PSTR("error line: at most 79 characters expected\n"));
        else if (length) execute();
        length = 0;
        too_long = false;
        return;
    }
}
