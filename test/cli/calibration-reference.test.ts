import { expect, test } from "vitest";
import { methodOf, referenceOf } from "../../src/cli/calibration-reference.ts";

const resistor = { resistor: "10.02", resistorUncertainty: "0.1%" };
const meter = { referenceVoltage: "5.083", referenceUncertainty: "0.05 %" };

test("a resistor, with or without a voltmeter, or a second meter; uncertainties in the unit of the value", () => {
  expect(referenceOf({})).toBeUndefined();
  expect(referenceOf(resistor)).toEqual({ resistor_ohm: { value: 10.02, u: expect.closeTo(0.01002, 12) } });
  expect(referenceOf({ ...resistor, ...meter })).toMatchObject({
    resistor_ohm: {},
    voltage_v: { value: 5.083, u: expect.closeTo(0.0025415, 9) },
  });
  expect(referenceOf({ ...meter, referenceCurrent: "0.5" })).toMatchObject({ current_a: { value: 0.5, u: expect.closeTo(0.00025, 9) } });
});

test.each([
  [{ resistor: "5" }, "--resistor-uncertainty: belongs to --resistor"],
  [{ resistorUncertainty: "1%" }, "--resistor-uncertainty: belongs to --resistor"],
  [{ ...resistor, resistorUncertainty: "0.1" }, "--resistor-uncertainty 0.1: expected a percentage with its sign"],
  [{ ...resistor, resistor: "0" }, "--resistor 0: expected a number above 0"],
  [{ ...resistor, resistor: "ten" }, "--resistor ten: expected a number above 0"],
  [meter, "says nothing of the current"],
  [{ referenceCurrent: "1" }, "--reference-uncertainty: belongs to"],
  [{ ...resistor, ...meter, referenceCurrent: "1" }, "exclude each other"],
])("%o is refused", (flags, message) => {
  expect(() => referenceOf(flags)).toThrow(message);
});

test("the rig keeps how it was done", () => {
  expect(methodOf({ ...resistor, ...meter }, true)).toBe("resistor 10.02 ohm (u 0.1%), second meter 5.083 V (u 0.05 %), zero current");
});
