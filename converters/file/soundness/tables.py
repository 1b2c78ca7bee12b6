"""Describe the parts of TensorFlow Lite's schema (schema.fbs, version 3) that a file may hold."""

from __future__ import annotations

from converters.file.flatbuffer import described

_TABLES = {
    "Model": "version:uint operator_codes:[OperatorCode] subgraphs:[SubGraph] description:string "
    "buffers:[Buffer] metadata_buffer:[int] metadata:[Metadata] signature_defs:[SignatureDef] "
    "external_buffer_groups:[Empty] external_buffers:[Empty]",
    "OperatorCode": "deprecated_builtin_code:byte custom_code:string version:int=1 builtin_code:int",
    "SubGraph": "tensors:[Tensor] inputs:[int] outputs:[int] operators:[Operator] name:string "
    "debug_metadata_index:int=-1",
    "Tensor": "shape:[int] type:byte buffer:uint name:string quantization:QuantizationParameters "
    "is_variable:bool sparsity:SparsityParameters shape_signature:[int] has_rank:bool "
    "variant_tensors:[VariantSubType] external_buffer:uint",
    "QuantizationParameters": "min:[float] max:[float] scale:[float] zero_point:[long] "
    "details_type:ubyte details:QuantizationDetails quantized_dimension:int",
    "SparsityParameters": "traversal_order:[int] block_map:[int] dim_metadata:[DimensionMetadata]",
    "DimensionMetadata": "format:byte dense_size:int array_segments_type:ubyte "
    "array_segments:SparseIndexVector array_indices_type:ubyte array_indices:SparseIndexVector",
    "VariantSubType": "shape:[int] type:byte has_rank:bool",
    "Operator": "opcode_index:uint inputs:[int] outputs:[int] builtin_options_type:ubyte "
    "builtin_options:BuiltinOptions custom_options:[ubyte] custom_options_format:byte "
    "mutating_variable_inputs:[bool] intermediates:[int] large_custom_options_offset:ulong "
    "large_custom_options_size:ulong builtin_options_2_type:ubyte builtin_options_2:BuiltinOptions2 "
    "debug_metadata_index:int=-1",
    "Buffer": "data:[ubyte] offset:ulong size:ulong",
    "Metadata": "name:string buffer:uint",
    "SignatureDef": "inputs:[TensorMap] outputs:[TensorMap] signature_key:string deprecated_tag:string "
    "subgraph_index:uint",
    "TensorMap": "name:string tensor_index:uint",
    "Empty": "",
    "Conv2DOptions": "padding:byte stride_w:int stride_h:int activation:byte dilation_w:int=1 "
    "dilation_h:int=1 quantized_bias_type:byte",
    "DepthwiseConv2DOptions": "padding:byte stride_w:int stride_h:int depth_multiplier:int activation:byte "
    "dilation_w:int=1 dilation_h:int=1",
    "FullyConnectedOptions": "activation:byte weights_format:byte keep_num_dims:bool "
    "asymmetric_quantize_inputs:bool quantized_bias_type:byte",
    "TransposeConvOptions": "padding:byte stride_w:int stride_h:int activation:byte quantized_bias_type:byte",
    "Pool2DOptions": "padding:byte stride_w:int stride_h:int filter_w:int filter_h:int activation:byte",
    "SoftmaxOptions": "beta:float",
    "ReshapeOptions": "new_shape:[int]",
    "AddOptions": "activation:byte pot_scale_int16:bool=1",
    "SubOptions": "activation:byte pot_scale_int16:bool=1",
    "MulOptions": "activation:byte",
    "DivOptions": "activation:byte",
    "ReducerOptions": "keep_dims:bool",
    "SqueezeOptions": "squeeze_dims:[int]",
    "ConcatenationOptions": "axis:int activation:byte",
    "StridedSliceOptions": "begin_mask:int end_mask:int ellipsis_mask:int new_axis_mask:int "
    "shrink_axis_mask:int offset:bool",
    "PackOptions": "values_count:int axis:int",
    "UnpackOptions": "num:int axis:int",
    "SplitOptions": "num_splits:int",
    "SplitVOptions": "num_splits:int",
    "GatherOptions": "axis:int batch_dims:int",
    "BatchMatMulOptions": "adj_x:bool adj_y:bool asymmetric_quantize_inputs:bool",
    "ShapeOptions": "out_type:byte",
    "LeakyReluOptions": "alpha:float",
    "GeluOptions": "approximate:bool",
    "CastOptions": "in_data_type:byte out_data_type:byte",
    "MirrorPadOptions": "mode:byte",
    "ResizeBilinearOptions": "new_height:int new_width:int align_corners:bool half_pixel_centers:bool",
    "ResizeNearestNeighborOptions": "align_corners:bool half_pixel_centers:bool",
    "PadOptions": "",
    "PadV2Options": "",
    "ExpandDimsOptions": "",
    "TransposeOptions": "",
    "QuantizeOptions": "",
    "DequantizeOptions": "",
    "HardSwishOptions": "",
    "MaximumMinimumOptions": "",
    "ExpOptions": "",
    "NegOptions": "",
    "AbsOptions": "",
    "SquaredDifferenceOptions": "",
    "LogSoftmaxOptions": "",
    "SpaceToBatchNDOptions": "",
    "BatchToSpaceNDOptions": "",
    "SliceOptions": "",
}

_OPTIONS = {
    1: "Conv2DOptions",
    2: "DepthwiseConv2DOptions",
    8: "FullyConnectedOptions",
    49: "TransposeConvOptions",
    5: "Pool2DOptions",
    9: "SoftmaxOptions",
    17: "ReshapeOptions",
    11: "AddOptions",
    28: "SubOptions",
    21: "MulOptions",
    29: "DivOptions",
    27: "ReducerOptions",
    30: "SqueezeOptions",
    10: "ConcatenationOptions",
    32: "StridedSliceOptions",
    59: "PackOptions",
    64: "UnpackOptions",
    35: "SplitOptions",
    79: "SplitVOptions",
    23: "GatherOptions",
    101: "BatchMatMulOptions",
    55: "ShapeOptions",
    75: "LeakyReluOptions",
    116: "GeluOptions",
    37: "CastOptions",
    77: "MirrorPadOptions",
    15: "ResizeBilinearOptions",
    74: "ResizeNearestNeighborOptions",
    22: "PadOptions",
    43: "PadV2Options",
    52: "ExpandDimsOptions",
    26: "TransposeOptions",
    89: "QuantizeOptions",
    38: "DequantizeOptions",
    91: "HardSwishOptions",
    39: "MaximumMinimumOptions",
    33: "ExpOptions",
    42: "NegOptions",
    78: "AbsOptions",
    76: "SquaredDifferenceOptions",
    36: "LogSoftmaxOptions",
    25: "SpaceToBatchNDOptions",
    24: "BatchToSpaceNDOptions",
    48: "SliceOptions",
}

# The unions without a member are refused where one is met: no digit reader has them.
TABLES = described(
    _TABLES,
    {"BuiltinOptions": _OPTIONS, "BuiltinOptions2": {}, "QuantizationDetails": {}, "SparseIndexVector": {}},
)
"""The tables as converters.file.flatbuffer reads them."""

_NAMES = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP
    FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
    SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
    UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
    UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX
    DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER
    GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL
    NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT
    LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
    RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2
    ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND
    HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY
    SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D
    IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL
    BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
    UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR
    RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM
    STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION
    STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE
    STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR
    STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH
    STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
    STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
    STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE
    STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
    STABLEHLO_CASE
    """

OPERATORS = tuple(_NAMES.split())
"""The operators' names by their number."""

TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    17: "int4",
}
"""The types of tensors that the checks know, by their number."""

BITS = {
    "float32": 32,
    "float16": 16,
    "int32": 32,
    "uint8": 8,
    "int64": 64,
    "bool": 8,
    "int16": 16,
    "int8": 8,
    "int4": 4,
}
"""How many bits a value of a type takes, for the types that are checked and counted."""
