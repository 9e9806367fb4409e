"""TensorFlow's GraphDef without TensorFlow: the messages that frozen graphs are made of."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_STRING, _BYTES, _FLOAT, _BOOL = _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_FLOAT, _Field.TYPE_BOOL
_INT32, _INT64 = _Field.TYPE_INT32, _Field.TYPE_INT64
# types.proto, as far as the graphs here go
DATA_TYPES = {"DT_INVALID": 0, "DT_FLOAT": 1, "DT_INT32": 3, "DT_STRING": 7, "DT_INT64": 9, "DT_BOOL": 10}

# message -> (field, number, type or message, repeated) of graph.proto, node_def.proto, attr_value.proto, tensor.proto,
# tensor_shape.proto and versions.proto
_MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "Dim": [("size", 1, _INT64, False), ("name", 2, _STRING, False)],
    "TensorShape": [("dim", 2, "Dim", True), ("unknown_rank", 3, _BOOL, False)],
    "Tensor": [
        ("dtype", 1, "DataType", False), ("tensor_shape", 2, "TensorShape", False),
        ("tensor_content", 4, _BYTES, False),
    ],
    "ListValue": [
        ("s", 2, _BYTES, True), ("i", 3, _INT64, True), ("f", 4, _FLOAT, True), ("b", 5, _BOOL, True),
        ("type", 6, "DataType", True), ("shape", 7, "TensorShape", True),
    ],
    "AttrValue": [
        ("list", 1, "ListValue", False), ("s", 2, _BYTES, False), ("i", 3, _INT64, False), ("f", 4, _FLOAT, False),
        ("b", 5, _BOOL, False), ("type", 6, "DataType", False), ("shape", 7, "TensorShape", False),
        ("tensor", 8, "Tensor", False),
    ],
    "NodeDef": [
        ("name", 1, _STRING, False), ("op", 2, _STRING, False), ("input", 3, _STRING, True),
        ("device", 4, _STRING, False), ("attr", 5, "NodeDef.AttrEntry", True),
    ],
    "VersionDef": [("producer", 1, _INT32, False), ("min_consumer", 2, _INT32, False)],
    "GraphDef": [("node", 1, "NodeDef", True), ("versions", 4, "VersionDef", False)],
}  # fmt: skip


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: int | str, repeated: bool) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind == "DataType":
        field.type, field.type_name = _Field.TYPE_ENUM, ".posecam.convert.DataType"
    elif isinstance(kind, str):
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".posecam.convert.{kind}"
    else:
        field.type = kind
    if message.name == "AttrValue":  # of the kinds of value exactly one is there, 0 and false as well
        field.oneof_index = 0


def _graph_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="posecam_convert.proto", package="posecam.convert", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for name, number in DATA_TYPES.items():
        types.value.add(name=name, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == "AttrValue":
            message.oneof_decl.add(name="value")
        if name == "NodeDef":
            entry = message.nested_type.add(name="AttrEntry")
            entry.options.map_entry = True
            _add(entry, "key", 1, _STRING, False)
            _add(entry, "value", 2, "AttrValue", False)
        for field in fields:
            _add(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("posecam.convert.GraphDef"))


GraphDef = _graph_class()
