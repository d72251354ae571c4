const views = new Map<string, new (buffer: ArrayBuffer) => ArrayBufferView>(
  [
    BigInt64Array,
    BigUint64Array,
    DataView,
    Float32Array,
    Float64Array,
    Int16Array,
    Int32Array,
    Int8Array,
    Uint16Array,
    Uint32Array,
    Uint8Array,
    Uint8ClampedArray,
  ].map((view) => [view.name, view]),
)

/** The views of a buffer that can be stored, by name. */
export const viewNamed = (name: string): (new (buffer: ArrayBuffer) => ArrayBufferView) | undefined => views.get(name)
