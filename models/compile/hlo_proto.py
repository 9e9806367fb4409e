"""The few fields of XLA's HloModuleProto (xla/service/hlo.proto) that are touched here. Those that are not declared
survive reading and writing as they are."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = descriptor_pb2.FieldDescriptorProto
_KINDS = {"string": Field.TYPE_STRING, "int64": Field.TYPE_INT64, "bytes": Field.TYPE_BYTES}

# message -> (field, number, kind or message, repeated)
_MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "Empty": [],
    "OpMetadata": [("op_type", 1, "string", False), ("op_name", 2, "string", False)],
    "Shape": [
        ("element_type", 2, "int64", False), ("dimensions", 3, "int64", True), ("tuple_shapes", 4, "Shape", True),
    ],
    "ProgramShape": [
        ("parameters", 1, "Shape", True), ("result", 2, "Shape", False), ("parameter_names", 3, "string", True),
    ],
    "Instruction": [
        ("name", 1, "string", False), ("opcode", 2, "string", False), ("shape", 3, "Shape", False),
        ("metadata", 7, "OpMetadata", False), ("parameter_number", 9, "int64", False), ("id", 35, "int64", False),
        ("operand_ids", 36, "int64", True), ("control_predecessor_ids", 37, "int64", True),
        ("called_computation_ids", 38, "int64", True),
    ],
    "Computation": [
        ("name", 1, "string", False), ("instructions", 2, "Instruction", True),
        ("program_shape", 4, "ProgramShape", False), ("id", 5, "int64", False), ("root_id", 6, "int64", False),
    ],
    "Module": [
        ("name", 1, "string", False), ("entry_computation_name", 2, "string", False),
        ("computations", 3, "Computation", True), ("host_program_shape", 4, "ProgramShape", False),
        ("id", 5, "int64", False), ("entry_computation_id", 6, "int64", False),
        ("stack_frame_index", 17, "Empty", False),
    ],
}  # fmt: skip


def _module_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="posecam_hlo.proto", package="posecam.hlo", syntax="proto3")
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if kind in _KINDS:
                declared.field.add(name=name, number=number, type=_KINDS[kind], label=label)
            else:
                type_name = f".posecam.hlo.{kind}"
                declared.field.add(name=name, number=number, type=Field.TYPE_MESSAGE, type_name=type_name, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("posecam.hlo.Module"))


Module = _module_class()
