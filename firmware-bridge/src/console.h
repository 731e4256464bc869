/* The text console of PROTOCOL.md. */
#ifndef CONSOLE_H
#define CONSOLE_H

/* BOOT frame and banner. */
void console_boot(unsigned char reset_cause);
/* Handles what has been received, one line at most. */
void console_poll(void);

#endif
