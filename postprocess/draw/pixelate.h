#pragma once
// Parts of a frame made unrecognisable, in place, in the frame's own format.

#include "models/core/image.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam {

/// Blocks along the longer side of a pixelated part. A face is about half of its region: two blocks across. Networks
/// trained on mosaics recognise people of a known set in far finer ones than look recognisable (McPherson, Shokri,
/// Shmatikov, "Defeating Image Obfuscation with Deep Learning", 2016); so few leave little but the colour of hair and
/// skin.
inline constexpr int kPixelatedBlocks = 4;

/// Replaces the pixels of `part` by the means of at most kPixelatedBlocks x kPixelatedBlocks blocks, in every plane:
/// what the blocks held cannot be got back. Any format and size; `part` is clipped to the frame and widened to whole
/// chroma samples. Allocates nothing. Re-entrant.
void pixelate(const MutableImageView& image, const PixelRect& part);

}  // namespace posecam
