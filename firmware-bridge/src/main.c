/* Bridge from an INA219 to a serial port. See ../PROTOCOL.md. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "clock.h"
#include "console.h"
#include "sampler.h"
#include "trigger.h"
#include "twi.h"
#include "uart.h"

/* Interrupts stay off between the question and the sleep; `sei` lets one more instruction pass before the first. */
static void sleep_until_work(void) {
    cli();
    if (!clock_due() && !uart_received() && !trigger_waiting()) {
        sleep_enable();
        sei();
        sleep_cpu();
        sleep_disable();
    }
    sei();
}

int main(void) {
    uint8_t reset_cause = MCUSR;
    MCUSR = 0;
    clock_init();
    uart_init();
    twi_init();
    trigger_init();
    sampler_set_rate(1000);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    console_boot(reset_cause);
    for (;;) {
        sampler_poll();
        console_poll();
        sleep_until_work();
    }
}
