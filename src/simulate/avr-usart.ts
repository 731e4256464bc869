import { AVRUSART, type CPU, usart0Config } from "avr8js";

/**
 * Gives avr8js's USART the transmit buffer that the real one has.
 *
 * avr8js takes the next byte only when the last one has left, so interrupt latency stretches every byte: frames come
 * 0.5 ms late. On silicon the data register is empty again as soon as its byte moves to the shift register.
 *
 * @param transmitted called for every byte
 */
export function openUsart(cpu: CPU, f_cpu_hz: number, transmitted: (byte: number) => void): AVRUSART {
  const usart = new AVRUSART(cpu, usart0Config, f_cpu_hz);
  const cyclesPerByte = (): number => (10 * f_cpu_hz) / usart.baudRate;
  /** Cycle at which the shift register is free. */
  let free = 0;
  /** Cycles until the data register is empty, set just before avr8js asks; undefined while it asks for the receiver. */
  let wait: number | undefined;
  usart.onByteTransmit = (byte) => {
    const starts = Math.max(cpu.cycles, free);
    free = starts + cyclesPerByte();
    wait = starts - cpu.cycles;
    transmitted(byte);
  };
  Object.defineProperty(usart, "cyclesPerChar", {
    get: () => {
      const cycles = wait ?? cyclesPerByte();
      wait = undefined;
      return cycles;
    },
  });
  return usart;
}
